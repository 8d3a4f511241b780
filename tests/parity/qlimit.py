"""Runs cases in qlimit, through the programs that are built from replay.cpp and sources.cpp."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from container import Case, read_records, write_cases

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAMS = REPOSITORY / "build/release/tests/parity"


REFERENCE = "reference"


def instruction_sets() -> list[str]:
    """Those of this machine, the fastest last."""
    command = [str(PROGRAMS / "parity_replay"), "--kernels"]
    names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return [name for name in names if name != REFERENCE]


def replay(cases: Sequence[Case], runtime: str, kernels: str) -> list[bytes]:
    """The outputs of all cases; one that is refused is empty, and the reason is printed."""
    with tempfile.TemporaryDirectory() as folder:
        given, taken = Path(folder) / "cases", Path(folder) / "outputs"
        with open(given, "wb") as file:
            write_cases(file, cases)
        subprocess.run([PROGRAMS / "parity_replay", runtime, kernels, given, taken], check=True)
        return list(read_records(taken))


def write_images(dataset: str, folder: Path, count: int | None) -> None:
    """train.npy, test.npy and labels.npy, as sources.cpp says; the first `count` test images, or all."""
    arguments = ["images", dataset, str(folder), *([str(count)] if count else [])]
    subprocess.run([str(PROGRAMS / "parity_sources"), *arguments], check=True)


def standard_net() -> bytes:
    """The .tflite file of the net that tests/support/standard_net.h makes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        subprocess.run([str(PROGRAMS / "parity_sources"), "standard_net", str(path)], check=True)
        return path.read_bytes()


def latencies(model: bytes) -> list[float]:
    """Microseconds for one image, of many calls, with as many threads as the program chooses."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(model)
        command = [str(PROGRAMS / "parity_replay"), "--latency", str(path)]
        return [float(line) for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()]
