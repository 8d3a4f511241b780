"""Random models of one operation. Each function draws one from a stream of random numbers and returns it with an input; the
models of two operands take the second from a constant or from their own input through QUANTIZE, since a case has one input.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

import numpy as np

import draw
import tflite_file as tfl
from container import Case
from tflite_file import Scalar, TfliteFile
from windows import Axis, accumulate, draw_axes


def int8_tensor(file: TfliteFile, shape: Sequence[int], scale: float, zero: int, data: np.ndarray | None = None) -> int:
    return file.tensor(shape, "int8", scales=[scale], zero_points=[zero], data=None if data is None else data.tobytes())


def int32_constant(file: TfliteFile, values: Sequence[int] | Sequence[Sequence[int]], shape: Sequence[int] | None = None) -> int:
    array = np.array(values, np.int32)
    return file.tensor(array.shape if shape is None else shape, "int32", data=array.tobytes())


def draw_shape(rng: random.Random, least_rank: int = 1, most_rank: int = 4, most_elements: int = 300) -> list[int]:
    while True:
        shape = [rng.randint(1, 3)] + [rng.randint(1, 9) for _ in range(rng.randint(least_rank, most_rank) - 1)]
        if math.prod(shape) <= most_elements:
            return shape


def activation_field(rng: random.Random, number: int) -> Scalar:
    name = rng.choice(["none", "none", "relu", "relu6", "relu_n1_to_1"])
    return Scalar(number, "int8", tfl.ACTIVATIONS[name])


def one_to_one(operation: tfl.Operation, shape: Sequence[int], params: tuple[float, int], out_shape: Sequence[int],
               out_params: tuple[float, int], *scalars: Scalar) -> bytes:
    """The model of an operation with one int8 input and one int8 output, and no constants."""
    file = TfliteFile()
    x = int8_tensor(file, shape, *params)
    y = int8_tensor(file, out_shape, *out_params)
    file.operator(operation, [x], y, *scalars)
    return file.finish(x, y)


# Layers with weights.


def output_and_bias(rng: random.Random, sums: np.ndarray, input_scale: float,
                    scales: Sequence[float]) -> tuple[float, int, np.ndarray]:
    """Chooses scale and zero point of a layer's output, and its bias. sums: [...,O], the accumulators without bias."""
    channels = sums.shape[-1]
    steps = [input_scale * scales[c % len(scales)] for c in range(channels)]
    reach = np.abs(sums.reshape(-1, channels)).max(axis=0)
    typical = float(np.median([max(1, r) * step for r, step in zip(reach, steps)]))
    scale = draw.output_scale(rng, typical)
    if rng.random() < 0.15:  # small multipliers: the bias is nearly all there is
        scale = math.ldexp(draw.mantissa(rng), math.ceil(math.log2(max(steps))) + rng.randint(12, 22))
    # A multiplier of 2^e and more shifts the accumulator left by e bits, which may not overflow.
    scale = max(scale, 2.0 * max(step * max(1, float(r)) for r, step in zip(reach, steps)) / draw.INT32_ROOM)
    scale = draw.float32(scale)
    zero = draw.zero_point(rng)
    kind = rng.random()
    if kind < 0.75:
        bias = draw.bias_near_ties(rng, sums, [step / scale for step in steps], zero)
    elif kind < 0.9:
        bias = np.array([rng.randint(-5000, 5000) for _ in range(channels)], np.int32)
    else:
        bias = np.zeros(channels, np.int32)
    return scale, zero, bias


def bias_tensor(file: TfliteFile, bias: np.ndarray, input_scale: float, scales: Sequence[float]) -> int:
    bias_scales = [draw.float32(float(np.float32(input_scale) * np.float32(s))) for s in scales]
    return file.tensor(bias.shape, "int32", scales=bias_scales, zero_points=[0] * len(bias_scales), data=bias.tobytes())


def two_in_a_byte(numbers: np.ndarray) -> bytes:
    """INT4: the first number in the lower half of a byte."""
    halves = np.append(numbers, np.zeros(numbers.size % 2, np.int8)) & 15
    return (halves[0::2] | halves[1::2] << 4).astype(np.uint8).tobytes()


def filter_tensor(file: TfliteFile, filters: np.ndarray, scales: Sequence[float], axis: int, bits: int) -> int:
    kind, data = ("int8", filters.tobytes()) if bits == 8 else ("int4", two_in_a_byte(filters))
    return file.tensor(filters.shape, kind, scales=scales, zero_points=[0] * len(scales), axis=axis, data=data)


def draw_channels(rng: random.Random) -> int:
    """Mostly 1 to 9; sometimes what fills a vector and leaves a rest."""
    return rng.randint(1, 9) if rng.random() < 0.85 else rng.randint(10, 40)


def window_fields(rows: Axis, columns: Axis) -> list[Scalar]:
    return [Scalar(0, "int8", rows.padding), Scalar(1, "int32", columns.stride), Scalar(2, "int32", rows.stride)]


def draw_map(rng: random.Random, largest_kernel: int, dilate: bool, channels: int) -> tuple[Axis, Axis, int]:
    """A window and a batch size, such that neither input nor output is large."""
    while True:
        rows, columns = draw_axes(rng, largest_kernel, dilate)
        batch = rng.choice([1, 1, 2, 3])
        if batch * rows.size * columns.size * channels <= 500:
            return rows, columns, batch


def conv2d(rng: random.Random, bits: int = 8) -> Case:
    groups = rng.choice([1, 1, 1, 2, 3])
    inputs = draw_channels(rng) if groups == 1 else groups * rng.randint(1, 3)
    outputs = draw_channels(rng) if groups == 1 else groups * rng.randint(1, 3)
    rows, columns, batch = draw_map(rng, 5 if inputs * outputs < 30 else 3 if inputs * outputs < 100 else 2, True, inputs)
    scale, zero = draw.scale(rng), draw.zero_point(rng)
    x = draw.activations(rng, [batch, rows.size, columns.size, inputs], zero)
    filters = draw.weights(rng, [outputs, rows.kernel, columns.kernel, inputs // groups], bits)
    scales = draw.weight_scales(rng, outputs)
    out_scale, out_zero, bias = output_and_bias(rng, accumulate(x, zero, filters, rows, columns, groups), scale, scales)

    file = TfliteFile()
    x_id = int8_tensor(file, x.shape, scale, zero)
    w_id = filter_tensor(file, filters, scales, 0, bits)
    b_id = bias_tensor(file, bias, scale, scales)
    y_id = int8_tensor(file, [batch, rows.outputs, columns.outputs, outputs], out_scale, out_zero)
    file.operator(tfl.CONV_2D, [x_id, w_id, b_id], y_id, *window_fields(rows, columns), activation_field(rng, 3),
                  Scalar(4, "int32", columns.dilation), Scalar(5, "int32", rows.dilation))
    return Case("conv2d", file.finish(x_id, y_id), x.tobytes())


def depthwise_conv2d(rng: random.Random, bits: int = 8) -> Case:
    inputs = draw_channels(rng)
    multiplier = rng.choice([1, 1, 1, 2, 3]) if inputs < 10 else 1
    outputs = inputs * multiplier
    rows, columns, batch = draw_map(rng, 4 if inputs < 10 else 3, True, inputs)
    scale, zero = draw.scale(rng), draw.zero_point(rng)
    x = draw.activations(rng, [batch, rows.size, columns.size, inputs], zero)
    filters = draw.weights(rng, [1, rows.kernel, columns.kernel, outputs], bits)
    scales = draw.weight_scales(rng, outputs)
    each = np.ascontiguousarray(filters.transpose(3, 1, 2, 0))
    out_scale, out_zero, bias = output_and_bias(rng, accumulate(x, zero, each, rows, columns, inputs), scale, scales)

    file = TfliteFile()
    x_id = int8_tensor(file, x.shape, scale, zero)
    w_id = filter_tensor(file, filters, scales, 3, bits)
    b_id = bias_tensor(file, bias, scale, scales)
    y_id = int8_tensor(file, [batch, rows.outputs, columns.outputs, outputs], out_scale, out_zero)
    file.operator(tfl.DEPTHWISE_CONV_2D, [x_id, w_id, b_id], y_id, *window_fields(rows, columns),
                  Scalar(3, "int32", multiplier), activation_field(rng, 4), Scalar(5, "int32", columns.dilation),
                  Scalar(6, "int32", rows.dilation))
    return Case("depthwise_conv2d", file.finish(x_id, y_id), x.tobytes())


def fully_connected(rng: random.Random, bits: int = 8) -> Case:
    inputs = rng.randint(1, 9) if rng.random() < 0.6 else rng.randint(10, 140)
    outputs = draw_channels(rng) if inputs < 40 else rng.randint(1, 6)
    keep_dims = rng.random() < 0.35
    leading = [rng.randint(1, 3) for _ in range(rng.randint(1, 3) if keep_dims else 1)]
    scale, zero = draw.scale(rng), draw.zero_point(rng)
    x = draw.activations(rng, [*leading, inputs], zero)
    shape = x.shape
    if not keep_dims and inputs % 2 == 0 and rng.random() < 0.3:  # the layer flattens its input itself
        shape = (leading[0], inputs // 2, 2)
    filters = draw.weights(rng, [outputs, inputs], bits)
    scales = draw.weight_scales(rng, outputs)
    sums = (x.astype(np.int64) - zero) @ filters.astype(np.int64).T
    out_scale, out_zero, bias = output_and_bias(rng, sums, scale, scales)

    file = TfliteFile()
    x_id = int8_tensor(file, shape, scale, zero)
    w_id = filter_tensor(file, filters, scales, 0, bits)
    b_id = bias_tensor(file, bias, scale, scales) if rng.random() < 0.85 else -1
    y_id = int8_tensor(file, [*leading, outputs], out_scale, out_zero)
    file.operator(tfl.FULLY_CONNECTED, [x_id, w_id, b_id], y_id, activation_field(rng, 0), Scalar(1, "int8", 0),
                  Scalar(2, "bool", keep_dims))
    return Case("fully_connected", file.finish(x_id, y_id), x.tobytes())


def int4_weights(rng: random.Random) -> Case:
    """One of the three with weights of 4 bits. The operator codes keep the versions for INT8: LiteRT's resolver of reference
    kernels has no newer depthwise convolution, though the kernel behind it reads INT4."""
    case = rng.choice([conv2d, depthwise_conv2d, fully_connected])(rng, bits=4)
    case.name = f"int4_{case.name}"
    return case


# Pools and means.


def pool2d(rng: random.Random, name: str, operation: tfl.Operation) -> Case:
    channels = draw_channels(rng)
    rows, columns, batch = draw_map(rng, 5, False, channels)
    params = draw.scale(rng), draw.zero_point(rng)
    x = draw.activations(rng, [batch, rows.size, columns.size, channels], params[1])
    model = one_to_one(operation, x.shape, params, [batch, rows.outputs, columns.outputs, channels], params,
                       *window_fields(rows, columns), Scalar(3, "int32", columns.kernel), Scalar(4, "int32", rows.kernel),
                       activation_field(rng, 5))
    return Case(name, model, x.tobytes())


def max_pool2d(rng: random.Random) -> Case:
    return pool2d(rng, "max_pool2d", tfl.MAX_POOL_2D)


def average_pool2d(rng: random.Random) -> Case:
    return pool2d(rng, "average_pool2d", tfl.AVERAGE_POOL_2D)


def mean(rng: random.Random) -> Case:
    shape = draw_shape(rng, 2, 4, 500)
    rank = len(shape)
    if rank == 4 and rng.random() < 0.4:
        axes = [1, 2]  # global average pooling
    else:
        axes = rng.sample(range(rank), rng.randint(1, rank))
    keep_dims = rng.random() < 0.5
    if keep_dims:
        out_shape = [1 if i in axes else size for i, size in enumerate(shape)]
    else:
        out_shape = [size for i, size in enumerate(shape) if i not in axes]
    scale, zero = draw.scale(rng), draw.zero_point(rng)
    x = draw.activations(rng, shape, zero)
    sums = (x.astype(np.int64) - zero).sum(axis=tuple(axes)) / math.prod(shape[i] for i in axes)
    out_scale = draw.output_scale(rng, float(np.abs(sums).max()) * scale) if rng.random() < 0.7 else scale

    file = TfliteFile()
    x_id = int8_tensor(file, shape, scale, zero)
    written = [axis - rank if rng.random() < 0.3 else axis for axis in axes]
    scalar_axis = len(axes) == 1 and rng.random() < 0.3
    axes_id = int32_constant(file, written, [] if scalar_axis else None)
    y_id = int8_tensor(file, out_shape, out_scale, draw.zero_point(rng))
    file.operator(tfl.MEAN, [x_id, axes_id], y_id, Scalar(0, "bool", keep_dims))
    return Case("mean", file.finish(x_id, y_id), x.tobytes())


# Two operands.


def draw_operand_shapes(rng: random.Random) -> tuple[list[int], list[int], list[int]]:
    """The shapes of two operands and of their result, broadcast or not."""
    out = draw_shape(rng, 1, 4, 250)
    first, second = list(out), list(out)
    if rng.random() < 0.5:
        for operand in (first, second):
            for axis in range(len(out)):
                if rng.random() < 0.25:
                    operand[axis] = 1
        second = second[rng.randint(0, len(second)) :]  # a shorter shape is aligned at the last axis
    return first, second, list(np.broadcast_shapes(first, second))


def second_operand(rng: random.Random, file: TfliteFile, x_id: int, x: np.ndarray, shape: Sequence[int], scale: float,
                   zero: int, draw_data: Callable[..., np.ndarray]) -> tuple[int, np.ndarray]:
    """A constant, or the input itself as its own requantization."""
    if list(shape) == list(x.shape) and rng.random() < 0.5:
        other = int8_tensor(file, shape, scale, zero)
        file.operator(tfl.QUANTIZE, [x_id], other)
        return other, x
    data = draw_data(rng, shape, zero)
    return int8_tensor(file, shape, scale, zero, data), data


def finish_binary(rng: random.Random, name: str, x: np.ndarray, second: Sequence[int], out: Sequence[int],
                  params: tuple[float, int], other_params: tuple[float, int], out_params: tuple[float, int] | None,
                  draw_data: Callable[..., np.ndarray]) -> Case:
    """The model of an addition or a product. Without parameters for the output it gets some that fit the numbers."""
    (scale, zero), (other_scale, other_zero) = params, other_params
    file = TfliteFile()
    x_id = int8_tensor(file, x.shape, *params)
    if list(second) == list(x.shape) and rng.random() < 0.1:
        other_id, other, other_scale, other_zero = x_id, x, scale, zero  # x with x
    else:
        other_id, other = second_operand(rng, file, x_id, x, second, other_scale, other_zero, draw_data)
    if out_params is None:
        a, b = (x.astype(float) - zero) * scale, (other.astype(float) - other_zero) * other_scale
        reach = float(np.abs(a + b if name == "add" else a * b).max())
        out_scale = draw.output_scale(rng, max(reach, scale * other_scale))
        if name == "add":  # TFLite wants more than 2^-19 of the larger input's scale
            out_scale = max(out_scale, math.ldexp(max(scale, other_scale), -18))
        out_params = out_scale, draw.zero_point(rng)
    y_id = int8_tensor(file, out, *out_params)
    operands = [x_id, other_id] if rng.random() < 0.5 else [other_id, x_id]
    file.operator(tfl.ADD if name == "add" else tfl.MUL, operands, y_id, activation_field(rng, 0))
    return Case(name, file.finish(x_id, y_id), x.tobytes())


def binary(rng: random.Random, name: str) -> Case:
    first, second, out = draw_operand_shapes(rng)
    scale, zero = draw.scale(rng, -8, 2), draw.zero_point(rng)
    other_scale = scale if rng.random() < 0.2 else draw.float32(scale * 2.0 ** rng.randint(-10, 10) * draw.mantissa(rng))
    x = draw.activations(rng, first, zero)
    return finish_binary(rng, name, x, second, out, (scale, zero), (other_scale, draw.zero_point(rng)),
                         None, draw.activations)


def add_on_ties(rng: random.Random) -> Case:
    """Differences of whole steps that end on ties, which the last bits of the ratio of the scales then decide."""
    first, second, out = draw_operand_shapes(rng)
    scale, other_scale = draw.short_scale(rng, -3, -3), draw.short_scale(rng, -3, -3)
    zero = rng.choice([-128, 127])
    x = draw.round_steps(rng, first, zero)
    out_params = math.ldexp(max(scale, other_scale), rng.randint(2, 3)), rng.randint(-9, 9)
    return finish_binary(rng, "add", x, second, out, (scale, zero), (other_scale, -1 - zero), out_params, draw.round_steps)


def mul_on_ties(rng: random.Random) -> Case:
    """Small factors: the last bit of the quotient of scales shows where it is not small, and large factors would saturate."""
    first, second, out = draw_operand_shapes(rng)
    scale, other_scale = draw.short_scale(rng, -8, 2), draw.short_scale(rng, -8, 2)
    zero = draw.zero_point(rng)
    x = draw.near(rng, first, zero)
    out_scale = draw.short_scale(rng, -2, 1) * math.ldexp(1, math.floor(math.log2(scale * other_scale)))
    return finish_binary(rng, "mul", x, second, out, (scale, zero), (other_scale, draw.zero_point(rng)),
                         (out_scale, draw.zero_point(rng)), draw.near)


def add(rng: random.Random) -> Case:
    return add_on_ties(rng) if rng.random() < 0.3 else binary(rng, "add")


def mul(rng: random.Random) -> Case:
    return mul_on_ties(rng) if rng.random() < 0.3 else binary(rng, "mul")


# What moves bytes.


def pad(rng: random.Random) -> Case:
    shape = draw_shape(rng, 1, 4, 120)
    params = draw.scale(rng), draw.zero_point(rng)
    x = draw.activations(rng, shape, params[1])
    paddings = [[rng.choice([0, 0, 1, 2]), rng.choice([0, 0, 1, 3])] for _ in shape]
    file = TfliteFile()
    x_id = int8_tensor(file, shape, *params)
    paddings_id = int32_constant(file, paddings)
    y_id = int8_tensor(file, [size + sum(p) for size, p in zip(shape, paddings)], *params)
    file.operator(tfl.PAD, [x_id, paddings_id], y_id)
    return Case("pad", file.finish(x_id, y_id), x.tobytes())


def reshape(rng: random.Random) -> Case:
    shape = draw_shape(rng, 1, 4, 200)
    params = draw.scale(rng), draw.zero_point(rng)
    x = draw.activations(rng, shape, params[1])
    factors = [f for size in shape for f in prime_factors(size)]
    rng.shuffle(factors)
    target = [1] * rng.randint(1, 4)
    for factor in factors:
        target[rng.randrange(len(target))] *= factor
    written = list(target)
    if rng.random() < 0.4:
        written[rng.randrange(len(written))] = -1  # the runtime works it out
    file = TfliteFile()
    x_id = int8_tensor(file, shape, *params)
    shape_id = int32_constant(file, written)
    y_id = int8_tensor(file, target, *params)
    file.operator(tfl.RESHAPE, [x_id, shape_id], y_id)
    return Case("reshape", file.finish(x_id, y_id), x.tobytes())


def prime_factors(number: int) -> list[int]:
    for divisor in range(2, number + 1):
        if number % divisor == 0:
            return [divisor, *prime_factors(number // divisor)]
    return []


def concatenation(rng: random.Random) -> Case:
    shape = draw_shape(rng, 1, 4, 100)
    axis = rng.randrange(len(shape))
    params = draw.scale(rng), draw.zero_point(rng)
    x = draw.activations(rng, shape, params[1])
    file = TfliteFile()
    x_id = int8_tensor(file, shape, *params)
    inputs, total = [x_id], shape[axis]
    for _ in range(rng.randint(0, 3)):
        if rng.random() < 0.3:
            inputs.append(x_id)
            total += shape[axis]
        else:
            size = rng.randint(1, 5)
            other = draw.activations(rng, [*shape[:axis], size, *shape[axis + 1 :]], params[1])
            inputs.append(int8_tensor(file, other.shape, *params, other))
            total += size
    rng.shuffle(inputs)
    y_id = int8_tensor(file, [*shape[:axis], total, *shape[axis + 1 :]], *params)
    written = axis - len(shape) if rng.random() < 0.4 else axis
    file.operator(tfl.CONCATENATION, inputs, y_id, Scalar(0, "int32", written), Scalar(1, "int8", 0))
    return Case("concatenation", file.finish(x_id, y_id), x.tobytes())


# Functions of one number.


def all_bytes_or_some(rng: random.Random, zero: int) -> np.ndarray:
    """All 256 inputs, or a few in another shape."""
    if rng.random() < 0.7:
        return np.arange(-128, 128).astype(np.int8).reshape(rng.choice([[1, 256], [2, 128], [1, 8, 8, 4], [256]]))
    return draw.activations(rng, draw_shape(rng), zero)


def unary(rng: random.Random, name: str, operation: tfl.Operation, out_params: tuple[float, int] | None) -> Case:
    """`out_params`: the output's, if the operation prescribes them."""
    scale, zero = draw.scale(rng), draw.zero_point(rng)
    x = all_bytes_or_some(rng, zero)
    if out_params is None:
        same = rng.random() < 0.2
        out_params = (scale, zero) if same else (draw.output_scale(rng, scale * rng.uniform(4, 255)), draw.zero_point(rng))
    return Case(name, one_to_one(operation, x.shape, (scale, zero), x.shape, out_params), x.tobytes())


def relu(rng: random.Random) -> Case:
    return unary(rng, "relu", tfl.RELU, None)


def relu6(rng: random.Random) -> Case:
    return unary(rng, "relu6", tfl.RELU6, None)


def requantize(rng: random.Random) -> Case:
    return unary(rng, "requantize", tfl.QUANTIZE, None)


def logistic(rng: random.Random) -> Case:
    return unary(rng, "logistic", tfl.LOGISTIC, (1.0 / 256.0, -128))


def tanh(rng: random.Random) -> Case:
    return unary(rng, "tanh", tfl.TANH, (1.0 / 128.0, 0))


def softmax(rng: random.Random) -> Case:
    shape = draw_shape(rng, 1, 4, 250)
    scale, zero = draw.scale(rng, -10, 1), draw.zero_point(rng)
    beta = rng.choice([1.0, 1.0, 1.0, 0.5, draw.float32(rng.uniform(0.1, 4.0))])
    x = draw.activations(rng, shape, zero)
    model = one_to_one(tfl.SOFTMAX, shape, (scale, zero), shape, (1.0 / 256.0, -128), Scalar(0, "float32", beta))
    return Case("softmax", model, x.tobytes())


def quantize(rng: random.Random) -> Case:
    shape = draw_shape(rng)
    scale, zero = draw.scale(rng), draw.zero_point(rng)
    numpy_rng = np.random.Generator(np.random.PCG64(rng.getrandbits(64)))
    steps = numpy_rng.uniform(-140, 140, shape)
    kind = numpy_rng.integers(0, 8, shape)
    steps = np.where(kind < 3, np.floor(steps) + 0.5, steps)  # ties
    x = (steps - zero * (kind < 6)) * scale
    x = np.where(kind == 7, numpy_rng.choice([0.0, -0.0, 1e-40, 1e6 * scale, -1e6 * scale], shape), x).astype(np.float32)
    neighbour = np.nextafter(x, numpy_rng.choice([-np.inf, np.inf], shape), dtype=np.float32)
    x = np.where(numpy_rng.random(shape) < 0.5, x, neighbour).astype(np.float32)
    file = TfliteFile()
    x_id = file.tensor(shape, "float32")
    y_id = int8_tensor(file, shape, scale, zero)
    file.operator(tfl.QUANTIZE, [x_id], y_id)
    return Case("quantize", file.finish(x_id, y_id), x.tobytes())


def dequantize(rng: random.Random) -> Case:
    scale, zero = draw.scale(rng), draw.zero_point(rng)
    x = all_bytes_or_some(rng, zero)
    file = TfliteFile()
    x_id = int8_tensor(file, x.shape, scale, zero)
    y_id = file.tensor(x.shape, "float32")
    file.operator(tfl.DEQUANTIZE, [x_id], y_id)
    return Case("dequantize", file.finish(x_id, y_id), x.tobytes())


# How many of 110 models are of which operation.
SHARES: dict[Callable[[random.Random], Case], int] = {
    conv2d: 14, depthwise_conv2d: 11, fully_connected: 12, max_pool2d: 4, average_pool2d: 5, mean: 7, add: 8, mul: 8, pad: 3,
    reshape: 2, concatenation: 3, softmax: 4, relu: 3, relu6: 3, requantize: 4, logistic: 2, tanh: 2, quantize: 3,
    dequantize: 2, int4_weights: 10,
}


def draw_case(draw_one: Callable[[random.Random], Case], seed: int, number: int) -> Case:
    """Model `number` of an operation; it depends on the operation, the seed and the number alone."""
    case = draw_one(random.Random(f"{draw_one.__name__}/{seed}/{number}"))
    case.name = f"{case.name}/{number:03d}"
    return case
