// Max pooling of a batch, with the place of each maximum remembered for the way back.
#pragma once

#include <cstdint>

#include "core/kernels/channel.h"
#include "core/real.h"
#include "core/window.h"

namespace qlimit {

/// x: [N,H,W,C] -> y: [N,OH,OW,C], the maximum over each window's places inside the image; taps (same shape
/// as y) takes the index ky*KW+kx of the maximum, the first one of equals. Windows of at most 65,536 places,
/// so that the index is exact.
void max_pool(const WindowGeometry& g, const Real* x, Real* y, Real* taps);

/// dx = each upstream element added at the place of its maximum, zeros elsewhere.
void max_pool_backward(const WindowGeometry& g, const Real* upstream, const Real* taps, Real* dx);

/// Whether a window is the one of the next two functions: 2x2 with stride 2, and the image a whole number of
/// them.
bool pools_squares(const WindowGeometry& g);

/// The map and the max pool behind it in one pass over memory: y is the pool of the mapped values. taps as
/// above; peaks (same shape) takes x at the place of each maximum, from which channel_gradient_sums (with
/// N*OH*OW rows) sums what the whole image would give. Only if pools_squares.
void map_and_pool(const WindowGeometry& g, const Real* x, const ChannelMap& map, Real* y, Real* peaks,
                  Real* taps);

/// channel_map_backward where the upstream gradient is the pool's: [N,OH,OW,C].
void map_and_pool_backward(const WindowGeometry& g, const Real* x, const ChannelMap& map,
                           const Real* upstream, const Real* taps, const ChannelMapGradient& gradient,
                           Real* dx);

/// The integer form for one image: x: [H,W,C] -> y: [OH,OW,C], clamped to [low, high].
void max_pool_int8(const WindowGeometry& g, int8_t low, int8_t high, const int8_t* x, int8_t* y);

}  // namespace qlimit
