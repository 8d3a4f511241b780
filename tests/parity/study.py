"""The way of the study that this project re-examines: Keras models, TFLite's converter with full-integer quantization, and the latency
of `interpreter.invoke` beside that of `model.predict`.

The Keras models are twins of ours: they are built from our own float .tflite files, weights and all, so that what differs is the
quantization and the runtime.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from keras import layers

import qlimit
from comparison import Comparison, print_table
from container import Case
from engines import Engine, io_details
from keras_nets import convert, convert_float
from test_sets import DATA_SETS, Images, labels, result_folder, run_engine, stored

TIMED_IMAGES = 64


class FloatFile:
    """A float .tflite file of ours: its operations in order, with their constants."""

    def __init__(self, model: bytes) -> None:
        self._model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(model, 0))
        self._graph = self._model.subgraphs[0]

    @property
    def input_shape(self) -> tuple[int, ...]:
        return tuple(self._graph.tensors[self._graph.inputs[0]].shape)

    def operations(self) -> list[tuple[int, schema.OperatorT]]:
        codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in self._model.operatorCodes]
        return [(codes[operator.opcodeIndex], operator) for operator in self._graph.operators]

    def constant(self, operator: schema.OperatorT, number: int) -> np.ndarray:
        tensor = self._graph.tensors[operator.inputs[number]]
        data = bytes(bytearray(self._model.buffers[tensor.buffer].data))
        return np.frombuffer(data, np.float32).reshape(tensor.shape)

    def bias(self, operator: schema.OperatorT) -> np.ndarray:
        """Zeros if the layer has none."""
        if len(operator.inputs) > 2 and operator.inputs[2] >= 0:
            return self.constant(operator, 2)
        return np.zeros(self.constant(operator, 1).shape[0], np.float32)


def activation(options: Any) -> str | None:
    return {schema.ActivationFunctionType.NONE: None, schema.ActivationFunctionType.RELU: "relu",
            schema.ActivationFunctionType.RELU6: "relu6"}[options.fusedActivationFunction]


def keras_twin(model: bytes) -> keras.Model:
    """The same network in Keras, for one image at a time. Knows the operations that our experiments use."""
    keras.backend.clear_session()
    file = FloatFile(model)
    x = inputs = keras.Input(batch_shape=(1, *file.input_shape[1:]))
    weights: list[tuple[layers.Layer, list[np.ndarray]]] = []
    names = schema.BuiltinOperator
    for code, operator in file.operations():
        options = operator.builtinOptions
        if code == names.CONV_2D:
            kernel = file.constant(operator, 1)
            padding = "same" if options.padding == schema.Padding.SAME else "valid"
            layer = layers.Conv2D(kernel.shape[0], kernel.shape[1:3], (options.strideH, options.strideW), padding,
                                  activation=activation(options))
            weights.append((layer, [kernel.transpose(1, 2, 3, 0), file.bias(operator)]))
        elif code == names.MAX_POOL_2D:
            layer = layers.MaxPooling2D((options.filterHeight, options.filterWidth))
        elif code == names.MEAN:
            layer = layers.GlobalAveragePooling2D()
        elif code == names.RESHAPE:
            layer = layers.Flatten()
        elif code == names.FULLY_CONNECTED:
            if len(x.shape) > 2:
                x = layers.Flatten()(x)
            kernel = file.constant(operator, 1)
            layer = layers.Dense(kernel.shape[0], activation=activation(options))
            weights.append((layer, [kernel.T, file.bias(operator)]))
        else:
            raise ValueError(f"an experiment's model with operator {code}: teach it to keras_twin")
        x = layer(x)
    for layer, values in weights:
        layer.set_weights(values)
    return keras.Model(inputs, x)


@dataclass(frozen=True)
class Latency:
    """Microseconds for one image: the median and the range of nine tenths of the calls."""

    median: float
    low: float
    high: float

    @staticmethod
    def of(times: Sequence[float]) -> Latency:
        return Latency(*(float(q) for q in np.quantile(times, [0.5, 0.05, 0.95])))

    def __str__(self) -> str:
        return f"{self.median:,.1f} ({self.low:,.1f} ... {self.high:,.1f})"


def time_calls(prepare: Callable[[int], object], call: Callable[[], object], images: int, calls: int) -> Latency:
    """Times `call` after each `prepare(i)`, i counting over the images. A tenth as many calls warm up."""
    times = []
    for number in range(-(calls // 10), calls):
        prepare(number % images)
        begin = time.perf_counter_ns()
        call()
        if number >= 0:
            times.append((time.perf_counter_ns() - begin) / 1000)
    return Latency.of(times)


def interpreter_latency(model: bytes, images: np.ndarray) -> Latency:
    """`invoke` of the interpreter as it comes, which is what the study timed: XNNPACK, one thread."""
    interpreter = Interpreter(model_content=model)
    interpreter.allocate_tensors()
    index = interpreter.get_input_details()[0]["index"]
    inputs = stored(images[:TIMED_IMAGES], model)
    return time_calls(lambda i: interpreter.set_tensor(index, inputs[i : i + 1]), interpreter.invoke, len(inputs), 1000)


def predict_latency(model: keras.Model, images: np.ndarray) -> Latency:
    """`predict` of an array of one image, as the study called it."""
    image = images[:1].copy()
    return time_calls(lambda i: np.copyto(image, images[i : i + 1]), lambda: model.predict(image, verbose=0),
                      min(TIMED_IMAGES, len(images)), 100)


@dataclass
class Row:
    """A model file run by one engine."""

    file: str
    engine: str
    accuracy: float
    bytes: int
    latency: Latency

    def cells(self, experiment: str) -> list[str]:
        return [experiment, self.file, self.engine, f"{self.accuracy:.2%}", f"{self.bytes:,}" if self.bytes else "-",
                str(self.latency)]


def share_right(output: bytes, model: bytes, truth: np.ndarray) -> float:
    return float((labels(output, len(truth), io_details(model)[1][0]) == truth).mean())


def keras_row(model: keras.Model, images: Images) -> Row:
    answers = model.predict(images.test, batch_size=1, verbose=0).argmax(axis=1)
    accuracy = float((answers == images.labels).mean())
    return Row("Keras", "model.predict", accuracy, 0, predict_latency(model, images.test))


def litert_row(file: str, model: bytes, images: Images) -> Row:
    output = run_engine(Engine.LITERT_DEFAULT, model, stored(images.test, model))
    assert output is not None, f"LiteRT does not run {file}"
    return Row(file, "LiteRT (XNNPACK)", share_right(output, model, images.labels), len(model),
               interpreter_latency(model, images.test))


def qlimit_row(file: str, model: bytes, images: Images) -> Row:
    case = Case(file, model, stored(images.test, model).tobytes())
    (output,) = qlimit.replay([case], "litert", qlimit.instruction_sets()[-1])
    return Row(file, "qlimit", share_right(output, model, images.labels), len(model), Latency.of(qlimit.latencies(model)))


def compare_with_reference(model: bytes, images: Images) -> Comparison:
    inputs = stored(images.test, model)
    compared = Comparison()
    (ours,) = qlimit.replay([Case("", model, inputs.tobytes())], "litert", qlimit.instruction_sets()[-1])
    compared.add("", ours, run_engine(Engine.LITERT_REFERENCE, model, inputs))
    return compared


def speed(slow: Row, fast: Row) -> str:
    return f"{slow.latency.median / fast.latency.median:,.2f}x"


def run_experiment(name: str, images: Images) -> tuple[list[list[str]], list[str], bool]:
    """Rows of the table of models, a row of the table of ratios, and whether TensorFlow's int8 file gave the reference's bytes."""
    ours = {kind: (result_folder(name) / f"model_{kind}.tflite").read_bytes() for kind in ("fp32", "int8")}
    twin = keras_twin(ours["fp32"])
    theirs = {"fp32": convert_float(twin), "int8": convert(twin, images.calibration, float_borders=False)}

    rows = {"predict": keras_row(twin, images)}
    for kind in ("fp32", "int8"):
        rows[f"their {kind}, LiteRT"] = litert_row(f"TensorFlow's {kind}", theirs[kind], images)
        rows[f"their {kind}, qlimit"] = qlimit_row(f"TensorFlow's {kind}", theirs[kind], images)
        rows[f"our {kind}, LiteRT"] = litert_row(f"our {kind}", ours[kind], images)
        rows[f"our {kind}, qlimit"] = qlimit_row(f"our {kind}", ours[kind], images)

    compared = compare_with_reference(theirs["int8"], images)
    ratios = [name, speed(rows["predict"], rows["their int8, LiteRT"]),
              speed(rows["their fp32, LiteRT"], rows["their int8, LiteRT"]),
              speed(rows["our fp32, qlimit"], rows["our int8, qlimit"]),
              f"{compared.differing_bytes:,} of {compared.compared_bytes:,}"]
    equal = compared.cases == 1 and compared.differing_bytes == 0
    return [row.cells(name) for row in rows.values()], ratios, equal


def run(count: int | None, folder: Path) -> bool:
    """Prints the tables; true if the converted models in qlimit equal the reference kernels."""
    print("\n## The study's way: Keras twins of our models, converted by TensorFlow\n", flush=True)
    rows, ratios, right = [], [], True
    for name, dataset in DATA_SETS.items():
        if not (result_folder(name) / "model_fp32.tflite").exists():
            print(f"{result_folder(name)}/model_fp32.tflite is missing: experiments/run {name} makes it")
            right = False
            continue
        more, ratio, equal = run_experiment(name, Images.load(dataset, folder / dataset, count))
        rows += more
        ratios.append(ratio)
        right &= equal
    print_table(["model", "file", "run by", "accuracy", "bytes", "latency, us (5 % ... 95 %)"], rows)
    print()
    print_table(["model", "invoke of int8 against Keras predict", "int8 against fp32, both invoke", "int8 against fp32, qlimit",
                 "TensorFlow's int8 file in qlimit: bytes that differ from the reference"], ratios)
    return right
