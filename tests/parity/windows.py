"""The geometry of sliding windows and the sums that convolutions accumulate: as plain as can be, to choose biases and scales
by. No output is taken from here.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from tflite_file import SAME, VALID


@dataclass(frozen=True)
class Axis:
    """One axis of a window."""

    size: int
    kernel: int
    stride: int
    dilation: int
    padding: int

    @property
    def reach(self) -> int:
        return (self.kernel - 1) * self.dilation + 1

    @property
    def outputs(self) -> int:
        if self.padding == SAME:
            return -(-self.size // self.stride)
        return -(-(self.size - self.reach + 1) // self.stride)

    @property
    def before(self) -> int:
        return max(0, (self.outputs - 1) * self.stride + self.reach - self.size) // 2


def draw_axes(rng: random.Random, largest_kernel: int, dilate: bool) -> tuple[Axis, Axis]:
    """A window over a map of 1 to 9 rows and columns with at least one output."""
    padding = rng.choice([SAME, VALID])

    def axis(dilation: int) -> Axis:
        while True:
            drawn = Axis(rng.randint(1, 9), rng.randint(1, largest_kernel), rng.choice([1, 1, 2, 3]), dilation, padding)
            if drawn.outputs > 0:
                return drawn

    dilated = dilate and rng.random() < 0.3
    return axis(rng.randint(1, 3) if dilated else 1), axis(rng.randint(1, 3) if dilated else 1)


def accumulate(x: np.ndarray, zero: int, filters: np.ndarray, rows: Axis, columns: Axis, groups: int) -> np.ndarray:
    """Sums of (x - zero) * filter without bias. x: [N,H,W,C], filters: [O,KH,KW,C/groups] -> [N,OH,OW,O]."""
    batch, channels, outputs = x.shape[0], x.shape[3], filters.shape[0]
    y = np.zeros((batch, rows.outputs, columns.outputs, outputs), np.int64)
    shifted = x.astype(np.int64) - zero
    grouped = filters.astype(np.int64).reshape(groups, outputs // groups, rows.kernel, columns.kernel, channels // groups)
    for (oy, ox, ky, kx) in np.ndindex(rows.outputs, columns.outputs, rows.kernel, columns.kernel):
        iy = oy * rows.stride - rows.before + ky * rows.dilation
        ix = ox * columns.stride - columns.before + kx * columns.dilation
        if 0 <= iy < rows.size and 0 <= ix < columns.size:
            taps = shifted[:, iy, ix].reshape(batch, groups, channels // groups)
            y[:, oy, ox] += np.einsum("ngc,goc->ngo", taps, grouped[:, :, ky, kx]).reshape(batch, outputs)
    return y
