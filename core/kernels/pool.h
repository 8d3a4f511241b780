// Max pooling of a batch, with the place of each maximum remembered for the way back.
#pragma once

#include <cstdint>

#include "core/real.h"
#include "core/window.h"

namespace qlimit {

/// x: [N,H,W,C] -> y: [N,OH,OW,C], the maximum over each window's places inside the image; taps (same shape
/// as y) takes the index ky*KW+kx of the maximum, the first one of equals. Windows of at most 65,536 places,
/// so that the index is exact.
void max_pool(const WindowGeometry& g, const Real* x, Real* y, Real* taps);

/// dx = each upstream element added at the place of its maximum, zeros elsewhere.
void max_pool_backward(const WindowGeometry& g, const Real* upstream, const Real* taps, Real* dx);

/// The integer form for one image: x: [H,W,C] -> y: [OH,OW,C], clamped to [low, high].
void max_pool_int8(const WindowGeometry& g, int8_t low, int8_t high, const int8_t* x, int8_t* y);

}  // namespace qlimit
