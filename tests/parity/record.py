"""record.py FOLDER [--trained]: writes the golden models into FOLDER (tests/golden/tflite_models).

The trained nets are those that were recorded before; with --trained, those that the experiments have written since.

Of the random models, most cases come as they are drawn. Outputs that are all one number tell little, so few of them are kept; cases in which the two
runtimes differ tell most, so some are searched for.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

import keras_nets
import qlimit
import test_sets
from container import Case, read_gzipped_cases, write_gzipped_cases
from engines import Engine, Worker
from operations import SHARES, draw_case

GOLDEN = Path(__file__).parent.parent / "golden" / "tflite_models"
SEED = 1
CASES_PER_SHARE = 4.8  # 110 shares
SEARCHED = 3  # cases of each operation in which the runtimes differ, if so many are found
SEARCH_LIMIT = 4000


def tells_little(case: Case) -> bool:
    return len(case.litert) > 1 and len(set(case.litert)) == 1


class Recorder:
    """Runs cases in both runtimes."""

    def __init__(self) -> None:
        self._litert = Worker(Engine.LITERT_REFERENCE)
        self._tflm = Worker(Engine.TFLITE_MICRO)

    def record(self, case: Case) -> bool:
        """Fills in the outputs; false if LiteRT has none."""
        case.litert = self._litert.run(case.model, case.input) or b""
        case.tflm = self._tflm.run(case.model, case.input) or b""
        return bool(case.litert)

    def close(self) -> None:
        self._litert.close()
        self._tflm.close()


def recorded(recorder: Recorder, draw_one: Callable[[random.Random], Case]) -> Iterator[Case]:
    for number in range(SEARCH_LIMIT):
        case = draw_case(draw_one, SEED, number)
        if recorder.record(case):
            yield case


def record_operation(recorder: Recorder, draw_one: Callable[[random.Random], Case], count: int) -> list[Case]:
    cases: list[Case] = []
    differing = 0
    for case in recorded(recorder, draw_one):
        differs = case.litert != case.tflm
        if len(cases) < count:
            if tells_little(case) and case.name[-1] not in "05":
                continue
            cases.append(case)
            differing += differs
        elif differs and differing < SEARCHED:
            cases.append(case)
            differing += 1
        elif differing >= SEARCHED or not differs and draw_one.__name__ not in {"mul", "relu", "logistic", "tanh"}:
            break
    return cases


def record_nets(recorder: Recorder, cases: list[Case]) -> list[Case]:
    for case in cases:
        if not recorder.record(case):
            raise RuntimeError(f"LiteRT does not run {case.name}")
    return cases


def recorded_nets() -> list[Case]:
    return [Case(case.name, case.model, case.input) for case in read_gzipped_cases(GOLDEN / "trained_nets.gz")]


def trained_nets() -> list[Case]:
    """The files that two experiments wrote, with the first images of their test sets."""
    cases = []
    for experiment in ("mnist_cnn", "micro_cifar"):
        model = (test_sets.result_folder(experiment) / "model_int8.tflite").read_bytes()
        with tempfile.TemporaryDirectory() as folder:
            images = test_sets.Images.load(test_sets.DATA_SETS[experiment], Path(folder), 4).test
        cases.append(Case(f"trained_nets/{experiment}", model, test_sets.stored(images, model).tobytes()))
    return cases


def record_standard_net(recorder: Recorder) -> list[Case]:
    """The tests make this model themselves, so its file is left out."""
    images = np.random.Generator(np.random.PCG64(SEED)).integers(-128, 128, (3, 32, 32, 3)).astype(np.int8)
    cases = record_nets(recorder, [Case("standard_net", qlimit.standard_net(), images.tobytes())])
    cases[0].model = b""
    return cases


def write(path: Path, cases: list[Case]) -> None:
    write_gzipped_cases(path, cases)
    differing = sum(case.litert != case.tflm for case in cases)
    silent = sum(not case.tflm for case in cases)
    little = sum(tells_little(case) for case in cases)
    print(f"{path.name:22} {len(cases):4} cases {path.stat().st_size:7} bytes, runtimes differ in {differing}, "
          f"{little} constant, {silent} without TFLM", flush=True)


def main() -> None:
    folder = Path(sys.argv[1])
    trained = trained_nets() if "--trained" in sys.argv[2:] else recorded_nets()  # first: the results may be missing
    recorder = Recorder()
    for draw_one, share in SHARES.items():
        cases = record_operation(recorder, draw_one, round(share * CASES_PER_SHARE))
        write(folder / f"{draw_one.__name__}.gz", cases)
    nets = [keras_nets.case(net, SEED) for net in keras_nets.NETS]
    write(folder / "nets.gz", record_nets(recorder, nets))
    float_nets = [keras_nets.float_case(net, SEED) for net in keras_nets.FLOAT_NETS]
    write(folder / "float_nets.gz", record_nets(recorder, float_nets))
    write(folder / "trained_nets.gz", record_nets(recorder, trained))
    write(folder / "standard_net.gz", record_standard_net(recorder))
    recorder.close()


if __name__ == "__main__":
    main()
