"""The container of cases: a flat sequence of records, each a u32 little-endian length and its bytes; gzipped or not.

A case is five records: its name, the .tflite file, the input, the output of LiteRT's reference kernels, the output of TFLite Micro
(empty if it cannot run the model).
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO


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


def write_record(stream: IO[bytes] | gzip.GzipFile, record: bytes) -> None:
    stream.write(struct.pack("<I", len(record)) + record)


def read_record(stream: IO[bytes] | gzip.GzipFile) -> bytes | None:
    """The next record; None at the end of the stream."""
    head = stream.read(4)
    return stream.read(struct.unpack("<I", head)[0]) if len(head) == 4 else None


def read_records(path: Path) -> Iterator[bytes]:
    with open(path, "rb") as stream:
        while (record := read_record(stream)) is not None:
            yield record


def read_gzipped_cases(path: Path) -> list[Case]:
    with gzip.open(path, "rb") as packed:
        records = list(iter(lambda: read_record(packed), None))
    return [Case(name.decode(), *rest) for name, *rest in zip(*[iter(records)] * 5, strict=True)]


def write_cases(stream: IO[bytes] | gzip.GzipFile, cases: Iterable[Case]) -> None:
    for case in cases:
        for record in case.records():
            write_record(stream, record)


def write_gzipped_cases(path: Path, cases: Iterable[Case]) -> None:
    """Writes the same bytes for the same cases, whenever and wherever it is called."""
    with open(path, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        write_cases(packed, cases)
