"""What the random models are made of: scales, zero points, bytes.

Uniform numbers would hardly ever tell one rounding from another. So scales are mostly short binary fractions, which alone
reach exact ties, over many octaves; zero points and data often stand at the ends of their range; and biases put
accumulators next to ties.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import numpy as np

Shape = Sequence[int]
INT32_ROOM = 2**30  # accumulators and biases stay below, so that no sum of two overflows


def float32(value: float) -> float:
    return float(np.float32(value))


def mantissa(rng: random.Random) -> float:
    return rng.choice([1.0, 1.25, 1.5]) if rng.random() < 0.65 else float32(rng.uniform(1.0, 2.0))


def scale(rng: random.Random, low: int = -12, high: int = 4) -> float:
    """A scale in [2^low, 2^(high+1)), every octave as likely as another."""
    return math.ldexp(mantissa(rng), rng.randint(low, high))


def short_scale(rng: random.Random, low: int, high: int) -> float:
    """One of those that reach ties."""
    return math.ldexp(rng.choice([1.0, 1.25, 1.5]), rng.randint(low, high))


def zero_point(rng: random.Random) -> int:
    kind = rng.random()
    if kind < 0.5:
        return rng.choice([-128, 127])
    return 0 if kind < 0.6 else rng.randint(-128, 127)


def activations(rng: random.Random, shape: Shape, zero: int = 0) -> np.ndarray:
    """int8 inputs: uniform, at the ends, near the zero point, or constant."""
    numpy_rng = np.random.Generator(np.random.PCG64(rng.getrandbits(64)))
    kind = rng.random()
    if kind < 0.6:
        values = numpy_rng.integers(-128, 128, shape)
    elif kind < 0.8:
        values = numpy_rng.choice([-128, 127, zero], shape)
    elif kind < 0.95:
        values = near(rng, shape, zero)
    else:
        values = np.full(shape, rng.choice([-128, 127, zero, rng.randint(-128, 127)]))
    return values.astype(np.int8)


def near(rng: random.Random, shape: Shape, zero: int) -> np.ndarray:
    """int8 inputs a few steps around the zero point."""
    numpy_rng = np.random.Generator(np.random.PCG64(rng.getrandbits(64)))
    return np.clip(zero + numpy_rng.integers(-9, 10, shape), -128, 127).astype(np.int8)


def round_steps(rng: random.Random, shape: Shape, zero: int) -> np.ndarray:
    """int8 inputs a multiple of 30 steps from the zero point: times a ratio of two short mantissas they are whole still."""
    numpy_rng = np.random.Generator(np.random.PCG64(rng.getrandbits(64)))
    lowest, highest = -((zero + 128) // 30), (127 - zero) // 30
    return (zero + 30 * numpy_rng.integers(lowest, highest + 1, shape)).astype(np.int8)


def weights(rng: random.Random, shape: Shape, bits: int = 8) -> np.ndarray:
    """Weights of so many bits, as int8; they never are the least number, -128 for 8 bits."""
    most = 2 ** (bits - 1) - 1
    numpy_rng = np.random.Generator(np.random.PCG64(rng.getrandbits(64)))
    kind = rng.random()
    if kind < 0.7:
        values = numpy_rng.integers(-most, most + 1, shape)
    elif kind < 0.85:
        values = numpy_rng.integers(-3, 4, shape)
    else:
        values = numpy_rng.choice([-most, most], shape)
    return values.astype(np.int8)


def weight_scales(rng: random.Random, channels: int) -> list[float]:
    """One scale, or one for each channel within some octaves of each other."""
    base = rng.randint(-12, 0)
    count = 1 if rng.random() < 0.35 else channels
    return [scale(rng, base - 2, base + 2) for _ in range(count)]


def output_scale(rng: random.Random, largest: float) -> float:
    """A scale for an output whose real numbers reach about `largest`: mostly fitting, sometimes far off."""
    steps = rng.uniform(60, 400) * (2.0 ** rng.randint(-6, 6) if rng.random() < 0.2 else 1.0)
    wanted = max(largest, 1e-6) / steps
    # Activations clamp at 6 / scale, which has to fit into 32 bits.
    return math.ldexp(mantissa(rng), max(-28, math.floor(math.log2(wanted))))


def bias_near_ties(rng: random.Random, sums: np.ndarray, multipliers: Sequence[float], zero: int) -> np.ndarray:
    """int32 biases that bring one accumulator of each channel (the last axis of `sums`) next to a tie of the output."""
    rows = sums.reshape(-1, sums.shape[-1])
    biases = []
    for channel, multiplier in enumerate(multipliers):
        accumulator = int(rows[rng.randrange(len(rows)), channel])
        tie = rng.randint(-130, 130) - zero + 0.5
        wanted = tie / multiplier
        rounded = math.floor(wanted) if rng.random() < 0.5 else math.ceil(wanted)
        biases.append(rounded - accumulator + rng.choice([-1, 0, 0, 0, 1]))
    return np.clip(np.array(biases), -INT32_ROOM, INT32_ROOM).astype(np.int32)
