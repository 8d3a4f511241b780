#!/usr/bin/env python3
"""make.py: writes the .npy files in this folder with NumPy (2.4.6): what tests/data/npy_test.cpp reads.

The values of an array are 0, 1, 2, ... in row-major order, minus 3 where the type is signed; floats are halved.
"""

import pathlib

import numpy as np

FOLDER = pathlib.Path(__file__).parent


def values(shape, dtype):
    numbers = np.arange(int(np.prod(shape)), dtype=np.float64)
    if np.dtype(dtype).kind != "u":
        numbers -= 3
    if np.dtype(dtype).kind == "f":
        numbers /= 2
    return numbers.reshape(shape).astype(dtype)


def write(name, array, version=None):
    with open(FOLDER / f"{name}.npy", "wb") as file:
        np.lib.format.write_array(file, array, version=version)


write("float32", values((2, 3), "<f4"))
write("float64", values((2, 3), "<f8"))
write("int8", values((1, 2, 2, 3), "i1"))
write("uint8", values((2, 2, 2), "u1"))
write("int32", values((4,), "<i4"))
write("int64", values((), "<i8"))
write("version_2", values((2, 3), "<f4"), version=(2, 0))
write("version_3", values((2, 3), "<f4"), version=(3, 0))
# Well-formed, but not what the reader takes:
write("fortran", np.asfortranarray(values((2, 3), "<f4")))
write("big_endian", values((2, 3), ">f4"))
write("bool", values((2, 3), "i4") > 0)
write("structured", np.zeros(2, dtype=[("x", "<f4"), ("y", "<i4")]))
write("five_dimensions", values((1, 1, 2, 1, 1), "i1"))
write("no_elements", values((0, 3), "<f4"))
