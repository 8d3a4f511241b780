#include <algorithm>

#include "core/error.h"
#include "quant/broadcast.h"
#include "quant/graph.h"
#include "quant/kernels/concatenation.h"
#include "quant/kernels/pad.h"
#include "quant/overloaded.h"

namespace qlimit {
namespace {

[[noreturn]] void misfit(const Op& op, const std::string& what, const std::string& expected,
                         const std::string& found) {
  throw Error(ErrorKind::kUsage, {.what = what, .where = op_name(op), .expected = expected, .found = found});
}

void expect_inputs(const Op& op, const std::vector<Shape>& inputs, size_t least, size_t most) {
  if (inputs.size() < least || inputs.size() > most) {
    misfit(op, "wrong number of inputs", least == most ? concat(least) : concat(least, " or ", most),
           concat(inputs.size()));
  }
}

void expect_rank(const Op& op, const Shape& shape, int rank) {
  if (shape.rank() != rank) misfit(op, "wrong rank of an input", concat(rank), shape.to_string());
}

void expect_shape(const Op& op, const Shape& shape, const Shape& expected) {
  if (shape != expected) misfit(op, "wrong shape of an input", expected.to_string(), shape.to_string());
}

WindowGeometry lay(const Op& op, const Window& window, const Shape& input) {
  return lay_window(op_name(op).c_str(), window, input);
}

Shape conv_shape(const Op& op, const Window& window, const std::vector<Shape>& inputs) {
  expect_inputs(op, inputs, 2, 3);
  const WindowGeometry g = lay(op, window, inputs[0]);
  expect_rank(op, inputs[1], 4);
  const int64_t out_channels = inputs[1][0];
  const int64_t group_channels = std::max<int64_t>(inputs[1][3], 1);
  expect_shape(op, inputs[1], {out_channels, window.kernel_h, window.kernel_w, group_channels});
  if (g.channels % group_channels != 0 || out_channels % (g.channels / group_channels) != 0) {
    misfit(op, "channels cannot be divided into groups", concat("filters over all ", g.channels, " channels"),
           inputs[1].to_string());
  }
  if (inputs.size() == 3) expect_shape(op, inputs[2], {out_channels});
  return {g.batch, g.out_h, g.out_w, out_channels};
}

Shape depthwise_shape(const Op& op, const Window& window, const std::vector<Shape>& inputs) {
  expect_inputs(op, inputs, 2, 3);
  const WindowGeometry g = lay(op, window, inputs[0]);
  expect_rank(op, inputs[1], 4);
  const int64_t out_channels = inputs[1][3];
  expect_shape(op, inputs[1], {1, window.kernel_h, window.kernel_w, out_channels});
  if (out_channels < g.channels || out_channels % g.channels != 0) {
    misfit(op, "wrong number of output channels", concat("a multiple of ", g.channels), concat(out_channels));
  }
  if (inputs.size() == 3) expect_shape(op, inputs[2], {out_channels});
  return {g.batch, g.out_h, g.out_w, out_channels};
}

Shape dense_shape(const Op& op, const std::vector<Shape>& inputs) {
  expect_inputs(op, inputs, 2, 3);
  expect_rank(op, inputs[1], 2);
  const int64_t outputs = inputs[1][0];
  const int64_t features = std::max<int64_t>(inputs[1][1], 1);
  if (inputs[0].size() % features != 0) {
    misfit(op, "wrong number of inputs to the layer", concat("a multiple of ", features),
           inputs[0].to_string());
  }
  if (inputs.size() == 3) expect_shape(op, inputs[2], {outputs});
  return {inputs[0].size() / features, outputs};
}

Shape pool_shape(const Op& op, const Window& window, const std::vector<Shape>& inputs) {
  expect_inputs(op, inputs, 1, 1);
  const WindowGeometry g = lay_pool(op_name(op).c_str(), window, inputs[0]);
  return {g.batch, g.out_h, g.out_w, g.channels};
}

Shape same_shape(const Op& op, const std::vector<Shape>& inputs) {
  expect_inputs(op, inputs, 1, 1);
  return inputs[0];
}

Shape binary_shape(const Op& op, const std::vector<Shape>& inputs) {
  expect_inputs(op, inputs, 2, 2);
  return Broadcast(op_name(op).c_str(), inputs[0], inputs[1]).shape();
}

Shape mean_shape(const Op& op, const op::Mean& o, const std::vector<Shape>& inputs) {
  expect_inputs(op, inputs, 1, 1);
  std::vector<int64_t> sizes;
  for (int axis = 0; axis < inputs[0].rank(); ++axis) {
    const bool reduced = std::find(o.axes.begin(), o.axes.end(), axis) != o.axes.end();
    if (!reduced) sizes.push_back(inputs[0][axis]);
    if (reduced && o.keep_dims) sizes.push_back(1);
  }
  for (int axis : o.axes) {
    if (axis < 0 || axis >= inputs[0].rank()) misfit(op, "no such axis", inputs[0].to_string(), concat(axis));
  }
  if (sizes.empty()) sizes.push_back(1);  // the mean of everything: a tensor of one number
  return Shape(sizes);
}

Shape pad_shape(const Op& op, const op::Pad& o, const std::vector<Shape>& inputs) {
  expect_inputs(op, inputs, 1, 1);
  const PadParams::Axes padded = prepare_pad(inputs[0], o.before, o.after).padded;
  return Shape(std::span<const int64_t>(padded).first(static_cast<size_t>(inputs[0].rank())));
}

Shape concatenation_shape(const Op& op, int axis, const std::vector<Shape>& inputs) {
  expect_inputs(op, inputs, 1, kMostOperands);
  prepare_concatenation(inputs, axis);  // for its checks
  std::vector<int64_t> sizes(inputs[0].begin(), inputs[0].end());
  sizes[static_cast<size_t>(axis)] = 0;
  for (const Shape& input : inputs) sizes[static_cast<size_t>(axis)] += input[axis];
  return Shape(sizes);
}

}  // namespace

Shape output_shape(const Op& op, const std::vector<Shape>& inputs) {
  return std::visit(
      Overloaded{[&](const op::Conv2D& o) { return conv_shape(op, o.window, inputs); },
                 [&](const op::DepthwiseConv2D& o) { return depthwise_shape(op, o.window, inputs); },
                 [&](const op::Dense&) { return dense_shape(op, inputs); },
                 [&](const op::BatchNorm&) {
                   expect_inputs(op, inputs, 5, 5);
                   for (size_t i = 1; i < 5; ++i) expect_shape(op, inputs[i], {inputs[0][-1]});
                   return inputs[0];
                 },
                 [&](const op::MaxPool2D& o) { return pool_shape(op, o.window, inputs); },
                 [&](const op::AveragePool2D& o) { return pool_shape(op, o.window, inputs); },
                 [&](const op::Mean& o) { return mean_shape(op, o, inputs); },
                 [&](const op::Add&) { return binary_shape(op, inputs); },
                 [&](const op::Mul&) { return binary_shape(op, inputs); },
                 [&](const op::Pad& o) { return pad_shape(op, o, inputs); },
                 [&](const op::Concatenation& o) { return concatenation_shape(op, o.axis, inputs); },
                 [&](const op::Reshape& o) {
                   expect_inputs(op, inputs, 1, 1);
                   if (o.shape.size() != inputs[0].size()) {
                     misfit(op, "reshape changes the number of elements", inputs[0].to_string(),
                            o.shape.to_string());
                   }
                   return o.shape;
                 },
                 [&](const auto&) { return same_shape(op, inputs); }},
      op);
}

}  // namespace qlimit
