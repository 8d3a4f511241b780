"""Small whole nets, built in Keras and converted by TensorFlow with full-integer quantization.

Weights are random: what is tested is arithmetic, not learning. Batch sizes are fixed, so that no shape is computed at run time.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from keras import layers  # noqa: E402

from container import Case  # noqa: E402

CALIBRATION_IMAGES = 32


@dataclass(frozen=True)
class Net:
    """A net and how it is to be converted."""

    name: str
    shape: tuple[int, int, int]
    body: Callable[[keras.KerasTensor], keras.KerasTensor]
    batch: int = 1
    float_borders: bool = False
    per_channel: bool = True


def plain(x: keras.KerasTensor) -> keras.KerasTensor:
    x = layers.MaxPooling2D()(layers.Conv2D(4, 3, padding="same", activation="relu")(x))
    x = layers.MaxPooling2D()(layers.Conv2D(6, 3, padding="same", activation="relu")(x))
    return layers.Dense(10)(layers.Flatten()(x))


def normalized(x: keras.KerasTensor) -> keras.KerasTensor:
    for filters in (5, 7):
        x = layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same", use_bias=False)(x))
        x = layers.MaxPooling2D()(layers.ReLU()(x))
    return layers.Dense(5)(layers.Flatten()(x))


def residual(x: keras.KerasTensor) -> keras.KerasTensor:
    x = layers.Conv2D(6, 3, padding="same", activation="relu")(x)
    y = layers.Conv2D(6, 3, padding="same", activation="relu")(x)
    x = layers.ReLU()(layers.Add()([x, layers.Conv2D(6, 3, padding="same")(y)]))
    y = layers.Conv2D(9, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Add()([layers.Conv2D(9, 1, strides=2)(x), layers.Conv2D(9, 3, padding="same")(y)])
    return layers.Dense(10)(layers.GlobalAveragePooling2D()(layers.ReLU()(x)))


def separable(x: keras.KerasTensor) -> keras.KerasTensor:
    x = layers.ReLU(6.0)(layers.Conv2D(6, 3, strides=2, padding="same")(x))
    for filters, strides in ((8, 1), (10, 2)):
        x = layers.ReLU(6.0)(layers.DepthwiseConv2D(3, strides=strides, padding="same")(x))
        x = layers.ReLU(6.0)(layers.Conv2D(filters, 1)(x))
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, padding="valid")(x)
    return layers.Dense(7)(layers.GlobalAveragePooling2D()(x))


def global_average_pool(x: keras.KerasTensor) -> keras.KerasTensor:
    x = layers.Conv2D(11, 3, activation="relu")(x)
    x = layers.GlobalAveragePooling2D(keepdims=True)(x)
    return layers.Flatten()(layers.Conv2D(10, 1)(x))


def softmax_head(x: keras.KerasTensor) -> keras.KerasTensor:
    x = layers.AveragePooling2D(2)(layers.Conv2D(5, 5, activation="relu")(x))
    return layers.Dense(10, activation="softmax")(layers.Dense(16, activation="relu")(layers.Flatten()(x)))


def strided(x: keras.KerasTensor) -> keras.KerasTensor:
    x = layers.Conv2D(5, (3, 5), strides=(2, 3), padding="same", activation="relu")(x)
    x = layers.Conv2D(6, (3, 2), strides=(1, 2), padding="valid", activation="relu6")(x)
    x = layers.Conv2D(7, 3, dilation_rate=2, padding="same", activation="relu")(x)
    x = layers.AveragePooling2D((3, 2), strides=(1, 2), padding="same")(x)
    return layers.Dense(6)(layers.Flatten()(x))


def inception(x: keras.KerasTensor) -> keras.KerasTensor:
    x = layers.Conv2D(6, 3, strides=2, padding="same", activation="relu")(x)
    for _ in range(2):
        a = layers.Conv2D(3, 1, activation="relu")(x)
        b = layers.Conv2D(4, 3, padding="same", activation="relu")(layers.Conv2D(2, 1, activation="relu")(x))
        c = layers.MaxPooling2D(3, strides=1, padding="same")(x)
        x = layers.Concatenate()([a, b, c])
    return layers.Dense(10, activation="softmax")(layers.GlobalAveragePooling2D()(x))


def padded(x: keras.KerasTensor) -> keras.KerasTensor:
    x = layers.Conv2D(6, 3, strides=2, activation="relu")(layers.ZeroPadding2D(((1, 1), (1, 1)))(x))
    x = layers.Conv2D(8, 3, strides=2, activation="relu")(layers.ZeroPadding2D(((0, 1), (2, 0)))(x))
    return layers.Dense(4, activation="tanh")(layers.Flatten()(x))


def gated(x: keras.KerasTensor) -> keras.KerasTensor:
    """Squeeze and excitation: a sigmoid of the whole map scales its channels."""
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    gate = layers.Dense(4, activation="relu")(layers.GlobalAveragePooling2D()(x))
    gate = layers.Reshape((1, 1, 8))(layers.Dense(8, activation="sigmoid")(gate))
    x = layers.Multiply()([x, gate])
    return layers.Dense(5)(layers.Flatten()(layers.MaxPooling2D(4)(x)))


NETS = [
    Net("plain", (12, 12, 1), plain),
    Net("plain_float_borders", (12, 12, 3), plain, float_borders=True),
    Net("plain_batch_3", (8, 8, 2), plain, batch=3),
    Net("plain_per_tensor", (8, 8, 3), plain, per_channel=False),
    Net("normalized", (8, 8, 3), normalized),
    Net("residual", (8, 8, 3), residual),
    Net("residual_batch_2", (6, 6, 3), residual, batch=2, float_borders=True),
    Net("separable", (16, 16, 3), separable),
    Net("separable_per_tensor", (16, 16, 3), separable, per_channel=False),
    Net("global_average_pool", (9, 9, 3), global_average_pool),
    Net("softmax_head", (10, 10, 1), softmax_head),
    Net("strided", (15, 17, 2), strided),
    Net("inception", (12, 12, 3), inception),
    Net("padded", (10, 10, 3), padded),
    Net("gated", (8, 8, 3), gated),
]
FLOAT_NETS = [net for net in NETS if net.name in ("normalized", "residual_batch_2", "separable", "softmax_head", "padded",
                                                  "gated")]


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps the converter's talk, in Python and in C++, to itself unless it fails."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    with tempfile.TemporaryFile() as talk:
        os.dup2(talk.fileno(), 1)
        os.dup2(talk.fileno(), 2)
        try:
            yield
        except BaseException:
            talk.seek(0)
            os.write(kept[1], talk.read())
            raise
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for descriptor, copy in enumerate(kept, start=1):
                os.dup2(copy, descriptor)
                os.close(copy)


def randomize(model: keras.Model, rng: np.random.Generator) -> None:
    """Weights that keep activations alive, biases and statistics that are not trivial."""
    for weight in model.weights:
        fan_in = max(1, int(np.prod(weight.shape[:-1])))
        if weight.name == "kernel":
            if "depthwise" in weight.path:
                fan_in = weight.shape[0] * weight.shape[1]
            values = rng.normal(0, np.sqrt(2 / fan_in), weight.shape)
        elif weight.name in ("gamma", "moving_variance"):
            values = rng.uniform(0.5, 2, weight.shape)
        else:
            values = rng.normal(0, 0.3, weight.shape)
        weight.assign(values.astype(np.float32))


def convert(model: keras.Model, images: np.ndarray, *, float_borders: bool, per_channel: bool = True) -> bytes:
    """Full-integer quantization. images: [N,H,W,C], the calibration set; N is a multiple of the model's batch size."""
    batch = model.inputs[0].shape[0] or 1

    def representative() -> Iterator[list[np.ndarray]]:
        for begin in range(0, len(images), batch):
            yield [images[begin : begin + batch].astype(np.float32)]

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    border = tf.float32 if float_borders else tf.int8
    converter.inference_input_type, converter.inference_output_type = border, border
    converter._experimental_disable_per_channel = not per_channel
    with quiet():
        return converter.convert()


def convert_float(model: keras.Model) -> bytes:
    with quiet():
        return tf.lite.TFLiteConverter.from_keras_model(model).convert()


def build(net: Net, seed: int) -> tuple[keras.Model, np.ndarray]:
    """The net with random weights, and images [N,H,W,C] to calibrate it on."""
    keras.backend.clear_session()
    rng = np.random.Generator(np.random.PCG64([seed, NETS.index(net)]))
    x = keras.Input(batch_shape=(net.batch, *net.shape))
    model = keras.Model(x, net.body(x))
    randomize(model, rng)
    images = rng.normal(0, 1, (CALIBRATION_IMAGES // net.batch * net.batch, *net.shape)).astype(np.float32)
    return model, images


def case(net: Net, seed: int, runs: int = 4) -> Case:
    """The int8 net with inputs for some runs: images like those it was calibrated on, the last run's much louder."""
    model, images = build(net, seed)
    converted = convert(model, images, float_borders=net.float_borders, per_channel=net.per_channel)
    images = images[: runs * net.batch]
    images[-net.batch :] *= 3
    if not net.float_borders:
        images = np.clip(np.round(images * 32), -128, 127).astype(np.int8)
    return Case(f"nets/{net.name}", converted, images.tobytes())


def float_case(net: Net, seed: int, runs: int = 2) -> Case:
    """The net as it is, in float32."""
    model, images = build(net, seed)
    return Case(f"float_nets/{net.name}", convert_float(model), images[: runs * net.batch].tobytes())
