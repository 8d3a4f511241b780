"""Networks that everybody knows, as Keras has them: with random weights, converted by TensorFlow, many operators deep."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from keras import applications

import qlimit
from comparison import Comparison, print_table
from container import Case
from engines import Engine
from keras_nets import convert
from random_models import EXACT, RUNTIMES, replay_with_each
from test_sets import run_engine, stored

IMAGES = 8
Build = Callable[..., keras.Model]

# By name: a function that builds the network, the size of its images, further arguments.
NETWORKS: dict[str, tuple[Build, int, dict[str, object]]] = {
    "MobileNet 0.25": (applications.MobileNet, 64, {"alpha": 0.25}),
    "MobileNetV2 0.35": (applications.MobileNetV2, 64, {"alpha": 0.35}),
    "EfficientNetV2B0": (applications.EfficientNetV2B0, 64, {"include_preprocessing": False}),
    "DenseNet121": (applications.DenseNet121, 64, {}),
    "ResNet50V2": (applications.ResNet50V2, 64, {}),
    "InceptionV3": (applications.InceptionV3, 75, {}),
    "Xception": (applications.Xception, 75, {}),
}


def build(name: str, seed: int) -> tuple[bytes, np.ndarray]:
    """The int8 file, logits out, and images [N,H,W,3]. Biases and the statistics of batch norm are not left at 0 and 1."""
    function, size, arguments = NETWORKS[name]
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    x = keras.Input(batch_shape=(1, size, size, 3))
    model = function(weights=None, input_tensor=x, classes=10, classifier_activation=None, **arguments)
    rng = np.random.Generator(np.random.PCG64(seed))
    for weight in model.weights:
        if weight.name in ("gamma", "moving_variance"):
            weight.assign(rng.uniform(0.6, 1.6, weight.shape).astype(np.float32))
        elif weight.name in ("beta", "moving_mean", "bias"):
            weight.assign(rng.normal(0, 0.2, weight.shape).astype(np.float32))
    images = rng.normal(0, 1, (IMAGES, size, size, 3)).astype(np.float32)
    return convert(model, images, float_borders=False), images


def operator_count(model: bytes) -> int:
    return schema.Model.GetRootAsModel(model, 0).Subgraphs(0).OperatorsLength()


def run(seed: int) -> bool:
    """Prints the table; true if qlimit equals the reference kernels and TFLite Micro in every byte."""
    print(f"\n## Networks of keras.applications with random weights, seed {seed}, converted by TensorFlow\n", flush=True)
    isas = qlimit.instruction_sets()
    rows, right = [], True
    for name in NETWORKS:
        model, images = build(name, seed)
        inputs = stored(images, model)
        case = Case(name, model, inputs.tobytes())
        for engine in Engine:
            theirs = run_engine(engine, model, inputs)
            tried = isas if engine in EXACT else isas[-1:]
            for kernels, (ours,) in replay_with_each([case], RUNTIMES[engine], tried).items():
                found = Comparison()
                found.add(name, ours, theirs)
                if engine in EXACT:
                    right &= found.cases == 1 and found.differing_bytes == 0
                rows.append([name, f"{operator_count(model):,}", f"{len(model):,}", engine.value, kernels,
                             f"{found.compared_bytes:,}", f"{found.differing_bytes:,}"])
    print_table(["network", "operators", "bytes of the file", "engine", "qlimit with", "bytes compared", "bytes that differ"], rows)
    return right
