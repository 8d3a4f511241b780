"""The int8 models of the three experiments on real images: all outputs, in all engines and in qlimit with every instruction set."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import qlimit
from comparison import Comparison, print_table
from container import Case
from engines import Engine, Worker, io_details
from random_models import EXACT, RUNTIMES, replay_with_each

DATA_SETS = {"mnist_cnn": "mnist", "micro_cifar": "cifar10", "standard_cifar": "cifar10"}
PART = 250  # images that a worker is given at once


@dataclass
class Images:
    """What models see: normalized floats [N,H,W,C]."""

    calibration: np.ndarray
    test: np.ndarray
    labels: np.ndarray  # [N] of the test images

    @staticmethod
    def load(dataset: str, folder: Path, count: int | None) -> Images:
        qlimit.write_images(dataset, folder, count)
        return Images(*(np.load(folder / f"{name}.npy") for name in ("train", "test", "labels")))


def result_folder(experiment: str) -> Path:
    return qlimit.REPOSITORY / "results" / experiment


def stored(images: np.ndarray, model: bytes) -> np.ndarray:
    """The images as the model's input wants them: float32, or int8 on its grid."""
    kind, scale, zero = io_details(model)[0]
    if kind == np.float32:
        return images.astype(np.float32)
    steps = images.astype(np.float32) / np.float32(scale)
    rounded = np.trunc(steps + np.copysign(np.float32(0.5), steps))
    return np.clip(rounded + zero, -128, 127).astype(np.int8)


def run_engine(engine: Engine, model: bytes, images: np.ndarray) -> bytes | None:
    worker = Worker(engine)
    outputs = []
    for begin in range(0, len(images), PART):
        # The model is sent once: an empty one is the one before.
        output = worker.run(b"" if begin else model, images[begin : begin + PART].tobytes())
        if output is None:
            return None
        outputs.append(output)
    worker.close()
    return b"".join(outputs)


def labels(output: bytes, count: int, kind: type) -> np.ndarray:
    return np.frombuffer(output, kind).reshape(count, -1).argmax(axis=1)


def compare_model(experiment: str, model: bytes, images: Images) -> Iterator[tuple[list[str], bool]]:
    """Rows of the table, and whether each is as it has to be."""
    inputs = stored(images.test, model)
    kind = io_details(model)[1][0]
    case = Case(experiment, model, inputs.tobytes())
    with ThreadPoolExecutor(2) as pool:
        theirs = dict(zip(Engine, pool.map(lambda engine: run_engine(engine, model, inputs), Engine)))
    isas = qlimit.instruction_sets()
    for engine in Engine:
        tried = isas if engine in EXACT else isas[-1:]
        for kernels, (ours,) in replay_with_each([case], RUNTIMES[engine], tried).items():
            found = Comparison()
            found.add(experiment, ours, theirs[engine])
            output = theirs[engine]
            if output is None or len(ours) != len(output):
                yield [experiment, engine.value, kernels, "-", "-", "-", "-", "-"], False
                continue
            answers = labels(output, len(inputs), kind)
            flipped = int((answers != labels(ours, len(inputs), kind)).sum())
            accuracy = float((answers == images.labels).mean())
            yield [experiment, engine.value, kernels, f"{len(inputs):,}", f"{found.compared_bytes:,}", f"{found.differing_bytes:,}",
                   f"{flipped:,}", f"{accuracy:.2%}"], engine not in EXACT or found.differing_bytes == 0


def run(count: int | None, folder: Path) -> bool:
    """Prints the table; true if qlimit equals the reference kernels and TFLite Micro in every byte."""
    print("\n## The test sets, through the int8 models of the experiments\n", flush=True)
    rows, right = [], True
    for experiment, dataset in DATA_SETS.items():
        path = result_folder(experiment) / "model_int8.tflite"
        if not path.exists():
            print(f"{path} is missing: experiments/run {experiment} makes it")
            right = False
            continue
        images = Images.load(dataset, folder / dataset, count)
        for row, fine in compare_model(experiment, path.read_bytes(), images):
            rows.append(row)
            right &= fine
    print_table(["model", "engine", "qlimit with", "images", "bytes compared", "bytes that differ", "labels that differ",
                 "its accuracy"], rows)
    return right
