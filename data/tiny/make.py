#!/usr/bin/env python3
"""make.py MNIST OUTPUT: cuts the subset in this folder out of MNIST's four IDX files.

Of each digit 100 training and 20 test images, evenly spaced over all of that digit and in their original order: the
two halves of the test set come from different writers, so its first images would be an easier test than the whole.
The images are byte for byte the original's; the gzip headers hold no name and no time, so the same zlib gives the
same files.
"""

import gzip
import pathlib
import struct
import sys


def read_idx(path, magic, rank):
    content = path.read_bytes()
    found, *sizes = struct.unpack_from(f">{rank + 1}I", content)
    assert found == magic, f"{path}: not the IDX file that belongs here"
    return sizes, content[4 * (rank + 1):]


def write_idx(path, magic, sizes, values):
    header = struct.pack(f">{len(sizes) + 1}I", magic, *sizes)
    path.write_bytes(gzip.compress(header + values, compresslevel=9, mtime=0))


def cut(source, output, part, per_class):
    images_name, labels_name = f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"
    (_, height, width), pixels = read_idx(source / images_name, 0x803, 3)
    _, labels = read_idx(source / labels_name, 0x801, 1)
    chosen = []
    for digit in range(10):
        indices = [index for index, label in enumerate(labels) if label == digit]
        chosen += [indices[i * len(indices) // per_class] for i in range(per_class)]
    chosen.sort()
    size = height * width
    picked = b"".join(pixels[i * size:(i + 1) * size] for i in chosen)
    write_idx(output / f"{images_name}.gz", 0x803, [len(chosen), height, width], picked)
    write_idx(output / f"{labels_name}.gz", 0x801, [len(chosen)], bytes(labels[i] for i in chosen))


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: make.py MNIST OUTPUT (two folders)")
    source, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    cut(source, output, "train", 100)
    cut(source, output, "t10k", 20)


if __name__ == "__main__":
    main()
