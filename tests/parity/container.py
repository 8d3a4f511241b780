"""The container of cases: gzip of a flat sequence of records, each a u32 little-endian length and its bytes.

A case is five records: its name, the .tflite file, the input, the output of LiteRT's reference kernels, the output of TFLite Micro
(empty if it cannot run the model).
"""

from __future__ import annotations

import gzip
import io
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Case:
    """A model with an input and the outputs that two runtimes gave; all tensors as they lie in memory."""

    name: str
    model: bytes
    input: bytes
    litert: bytes = b""
    tflm: bytes = b""

    def records(self) -> list[bytes]:
        return [self.name.encode(), self.model, self.input, self.litert, self.tflm]


def write_records(path: Path, records: Iterable[bytes]) -> None:
    """Writes the same bytes for the same records, whenever and wherever it is called."""
    plain = b"".join(struct.pack("<I", len(record)) + record for record in records)
    with open(path, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(plain)


def read_records(path: Path) -> Iterator[bytes]:
    stream = io.BytesIO(gzip.decompress(path.read_bytes()))
    while head := stream.read(4):
        yield stream.read(struct.unpack("<I", head)[0])


def write_cases(path: Path, cases: Iterable[Case]) -> None:
    write_records(path, (record for case in cases for record in case.records()))


def read_cases(path: Path) -> list[Case]:
    records = list(read_records(path))
    return [Case(records[i].decode(), *records[i + 1 : i + 5]) for i in range(0, len(records), 5)]
