"""compare.py [--models N] [--seed S] [--images N] [PART...]: qlimit beside TFLite's interpreters. See tests/parity/run."""

from __future__ import annotations

import argparse
import importlib.metadata
import sys
import tempfile
import time
from pathlib import Path

import random_models
import test_sets

PARTS = ("models", "images", "networks", "study")
PACKAGES = ("ai-edge-litert", "tflite-micro", "tensorflow-cpu")


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests/parity/run")
    parser.add_argument("--models", type=int, default=2000, metavar="N", help="random models to draw (2000)")
    parser.add_argument("--seed", type=int, default=int(time.time()), metavar="S", help="of their random numbers (the time)")
    parser.add_argument("--images", type=int, metavar="N", help="the first N images of each test set (all of them)")
    parser.add_argument("parts", nargs="*", metavar="PART", default=PARTS, help=f"{', '.join(PARTS)} (all of them)")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no part '{unknown.pop()}'; there are {', '.join(PARTS)}")

    print(", ".join(f"{package} {importlib.metadata.version(package)}" for package in PACKAGES))
    right = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "models" in options.parts:
            right &= random_models.run(options.models, options.seed)
        if "images" in options.parts:
            right &= test_sets.run(options.images, folder)
        # TensorFlow takes its time, so it is imported only if it is needed.
        if "networks" in options.parts:
            import networks

            right &= networks.run(options.seed)
        if "study" in options.parts:
            import study

            right &= study.run(options.images, folder)
    print("\nequal to the reference kernels and to TFLite Micro in every byte" if right else "\nNOT equal in every byte")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
