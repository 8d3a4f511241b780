// A weight tensor seen as [outer, channels, inner] around the axis of its output channels: outermost for
// convolutions [O,KH,KW,C] and dense layers [O,I], innermost for depthwise convolutions [1,KH,KW,C].
#pragma once

#include <cstdint>

#include "core/shape.h"

namespace qlimit {

struct ChannelView {
  int64_t outer = 1;
  int64_t channels = 1;
  int64_t inner = 1;

  /// Throws kUsage for an axis that the shape has not, and for a shape without elements.
  ChannelView(const Shape& shape, int axis);

  /// Of the element with this number.
  int64_t channel_of(int64_t i) const { return i / inner % channels; }
};

}  // namespace qlimit
