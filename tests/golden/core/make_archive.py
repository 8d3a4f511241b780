"""Writes archive_v1.qla beside itself: an archive made without the project's code, from the format described in
core/archive.h alone. Needs only Python.

python3 make_archive.py
"""

import pathlib
import struct
import zlib


def entry(name, kind, dims, payload):
    head = bytes([len(name)]) + name.encode() + bytes([kind, len(dims)])
    return head + b"".join(struct.pack("<q", dim) for dim in dims) + payload


ENTRIES = [
    entry("note", 0, [5], b"h\xc3\xa9\x00\n"),
    entry("f32", 1, [2, 3], struct.pack("<6f", 0, 1, -2.5, 1e-45, 3.4028234663852886e38, -0.0)),
    entry("f64", 2, [1], struct.pack("<d", 0.1)),
    entry("i32", 3, [2, 1, 2], struct.pack("<4i", -(2**31), 2**31 - 1, 0, -1)),
    entry("i64", 4, [], struct.pack("<q", -(2**63))),
    entry("u8", 5, [1, 1, 2, 2], bytes([0, 1, 254, 255])),
    entry("i8", 6, [3], struct.pack("<3b", -128, 0, 127)),
    entry("none", 1, [0, 7], b""),
]

body = b"".join(ENTRIES)
head = b"QLIMITAR" + struct.pack("<IIQ", 1, len(ENTRIES), 24 + len(body) + 4)
checksum = struct.pack("<I", zlib.crc32(head + body))
(pathlib.Path(__file__).parent / "archive_v1.qla").write_bytes(head + body + checksum)
