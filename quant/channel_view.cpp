#include "quant/channel_view.h"

#include "core/error.h"

namespace qlimit {

ChannelView::ChannelView(const Shape& shape, int axis) {
  if (axis < 0 || axis >= shape.rank() || shape.size() == 0) {
    throw Error(ErrorKind::kUsage, {.what = "a weight tensor has no such channel axis",
                                    .expected = concat("a tensor with elements and an axis ", axis),
                                    .found = shape.to_string()});
  }
  for (int i = 0; i < axis; ++i) outer *= shape[i];
  channels = shape[axis];
  for (int i = axis + 1; i < shape.rank(); ++i) inner *= shape[i];
}

}  // namespace qlimit
