#include "quant/int8_kernels.h"

#include "core/error.h"
#include "quant/kernels/add.h"
#include "quant/kernels/conv2d.h"
#include "quant/kernels/dense.h"
#include "quant/kernels/depthwise_conv2d.h"
#include "quant/kernels/lookup.h"
#include "quant/kernels/mean.h"
#include "quant/kernels/pool2d.h"
#include "quant/kernels/requantize.h"
#include "quant/kernels/softmax.h"
#include "quant/overloaded.h"
#include "quant/window_parts.h"

namespace qlimit {
namespace {

using Arguments = KernelArguments<int8_t>;
using Compiled = CompiledNode<int8_t>;

/// A node with everything that its kernel is prepared from.
struct Parts {
  const Shape& in;
  int64_t size;  // elements of the output
  AffineParams in_params;
  AffineParams out_params;
  const QuantizedFilter& filter;
  Rounding rounding;

  OutputStage stage(Activation activation = Activation::kNone) const {
    return {.params = out_params, .activation = activation, .rounding = rounding};
  }
};

Parts parts_of(const QuantizedGraph& q, size_t i) {
  const Node& node = q.graph.nodes[i];
  return {.in = q.graph.value(node.inputs[0]).shape,
          .size = q.graph.value(node.output).shape.size(),
          .in_params = q.params[static_cast<size_t>(node.inputs[0])],
          .out_params = q.params[static_cast<size_t>(node.output)],
          .filter = q.filters[i],
          .rounding = q.rounding};
}

Compiled compile(const Parts& p, const op::Conv2D& o) {
  const auto params = int8::prepare_conv2d(p.in, p.in_params, p.filter, o.window, p.stage(o.activation));
  const WindowGeometry& g = params.geometry;
  const WindowParts parts =
      cut_rows(g.out_h, g.out_w * g.patch_size() * params.out_channels, int8::conv2d_workspace_bytes(params));
  const auto run = [=](const Arguments& a) {
    parts.run([&](int64_t part, int64_t begin, int64_t end) {
      int8::conv2d_lines(params, a.x, begin, end, a.scratch + part * parts.scratch_bytes, a.out);
    });
  };
  return {.run = run, .scratch_bytes = parts.scratch_bytes * parts.count};
}

Compiled compile(const Parts& p, const op::DepthwiseConv2D& o) {
  const auto params =
      int8::prepare_depthwise_conv2d(p.in, p.in_params, p.filter, o.window, p.stage(o.activation));
  return {.run = [params](const Arguments& a) { int8::depthwise_conv2d(params, a.x, a.out); }};
}

Compiled compile(const Parts& p, const op::Dense& o) {
  const auto params = int8::prepare_dense(p.in, p.in_params, p.filter, p.stage(o.activation));
  return {.run = [params](const Arguments& a) { int8::dense(params, a.x, a.scratch, a.out); },
          .scratch_bytes = int8::dense_workspace_bytes(params)};
}

Compiled compile(const Parts& p, const op::MaxPool2D& o) {
  const auto params = int8::prepare_pool2d(p.in, p.in_params, o.window, Activation::kNone);
  return {.run = [params](const Arguments& a) { int8::max_pool2d(params, a.x, a.out); }};
}

Compiled compile(const Parts& p, const op::AveragePool2D& o) {
  const auto params = int8::prepare_pool2d(p.in, p.in_params, o.window, Activation::kNone);
  return {.run = [params](const Arguments& a) { int8::average_pool2d(params, a.x, a.out); }};
}

Compiled compile(const Parts& p, const op::GlobalAveragePool&) {
  const auto params = int8::prepare_mean(p.in, p.in_params, {1, 2}, p.stage());
  return {.run = [params](const Arguments& a) { int8::mean(params, a.x, a.out); }};
}

Compiled compile_add(const QuantizedGraph& q, const Node& node, const Parts& p, const op::Add& o) {
  const AffineParams second = q.params[static_cast<size_t>(node.inputs[1])];
  const auto params = int8::prepare_add(p.in, p.in_params, p.in, second, p.stage(o.activation));
  return {.run = [params](const Arguments& a) { int8::add(params, a.x, a.y, a.out); }};
}

Compiled compile(const Parts& p, const op::Clamp& o) {
  const auto params = int8::prepare_relu(p.in_params, p.stage(o.activation));
  return {.run = [params, size = p.size](const Arguments& a) { int8::requantize(params, a.x, size, a.out); }};
}

Compiled compile(const Parts& p, const op::Pointwise& o) {
  const int8::Lookup table = int8::make_lookup(o.function, p.in_params, p.out_params);
  return {.run = [table, size = p.size](const Arguments& a) { int8::lookup(table, a.x, size, a.out); }};
}

Compiled compile(const Parts& p, const op::Softmax&) {
  const auto params = int8::prepare_softmax(p.in, p.in_params, 1.0f, p.rounding);
  return {.run = [params](const Arguments& a) { int8::softmax(params, a.x, a.out); }};
}

Compiled compile(const Parts&, const op::Reshape&) { return {}; }

Compiled compile(const Parts&, const op::BatchNorm&) {
  throw Error(ErrorKind::kUnsupported, {.what = "batch_norm has no integer form"});
}

}  // namespace

CompiledNode<int8_t> compile_int8(const QuantizedGraph& q, size_t i) {
  const Node& node = q.graph.nodes[i];
  const Parts parts = parts_of(q, i);
  return std::visit(Overloaded{[&](const op::Add& o) { return compile_add(q, node, parts, o); },
                               [&](const auto& o) { return compile(parts, o); }},
                    node.op);
}

int64_t quantization_bytes(const QuantizedGraph& q, size_t i) {
  constexpr int64_t kMultiplier = sizeof(QuantizedMultiplier);
  return std::visit(
      Overloaded{[](const op::Add&) { return 3 * kMultiplier; },
                 [](const op::GlobalAveragePool&) { return kMultiplier; },
                 [](const op::Clamp&) { return kMultiplier; }, [](const op::Softmax&) { return kMultiplier; },
                 [](const op::Pointwise&) { return static_cast<int64_t>(sizeof(int8::Lookup)); },
                 [&](const auto&) { return kMultiplier * static_cast<int64_t>(q.filters[i].scales.size()); }},
      q.graph.nodes[i].op);
}

}  // namespace qlimit
