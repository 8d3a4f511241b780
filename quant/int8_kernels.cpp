#include "quant/int8_kernels.h"

#include "core/error.h"
#include "quant/kernels/add.h"
#include "quant/kernels/concatenation.h"
#include "quant/kernels/conv2d.h"
#include "quant/kernels/dense.h"
#include "quant/kernels/depthwise_conv2d.h"
#include "quant/kernels/logistic.h"
#include "quant/kernels/lookup.h"
#include "quant/kernels/mean.h"
#include "quant/kernels/mul.h"
#include "quant/kernels/pad.h"
#include "quant/kernels/pool2d.h"
#include "quant/kernels/quantize.h"
#include "quant/kernels/requantize.h"
#include "quant/kernels/softmax.h"
#include "quant/window_parts.h"

namespace qlimit {
namespace {

/// A node with everything that its kernel is prepared from.
struct Parts {
  const QuantizedGraph& q;
  const Node& node;
  const QuantizedFilter& filter;
  Kernels kernels;

  const Shape& in(size_t i = 0) const { return q.graph.value(node.inputs[i]).shape; }
  const AffineParams& in_params(size_t i = 0) const { return q.params_of(node.inputs[i]); }
  const AffineParams& out_params() const { return q.params_of(node.output); }
  int64_t size() const { return q.graph.value(node.output).shape.size(); }  // elements of the output
  OutputStage stage(Activation activation = Activation::kNone) const {
    return {.params = out_params(), .activation = activation, .rounding = rounding_of(q.runtime)};
  }
};

CompiledNode compile(const Parts& p, const op::Conv2D& o) {
  const auto params = int8::prepare_conv2d(p.in(), p.in_params(), p.filter, o.window, p.stage(o.activation));
  if (!params.is_fast || p.kernels == Kernels::kReference) {
    return {.run = [params](const KernelArguments& a) {
      int8::conv2d_reference(params, a.in<int8_t>(), a.out<int8_t>());
    }};
  }
  const WindowGeometry& g = params.geometry;
  const int64_t row_work = g.out_w * g.patch_size() * params.out_channels;
  const auto make = [&](bool max_pool) {
    const ImageParts parts(g, row_work, int8::conv2d_workspace_bytes(params), max_pool ? 2 : 1);
    return over_images<int8_t>(
        g, g.out_pixels() / (max_pool ? 4 : 1) * params.out_channels, parts,
        [=](const int8_t* x, int64_t begin, int64_t end, std::byte* scratch, int8_t* y) {
          int8::conv2d_lines(params, x, begin, end, scratch, y, max_pool);
        });
  };
  const ImageParts parts(g, row_work, int8::conv2d_workspace_bytes(params));
  return {.run = make(false),
          .scratch_bytes = parts.all_scratch_bytes(),
          .run_with_next =
              is_pooled_by_next(p.q.graph, p.node) && params.packed.can_pool() ? make(true) : Kernel()};
}

CompiledNode compile(const Parts& p, const op::DepthwiseConv2D& o) {
  const auto params =
      int8::prepare_depthwise_conv2d(p.in(), p.in_params(), p.filter, o.window, p.stage(o.activation));
  if (!params.is_fast || p.kernels == Kernels::kReference) {
    return {.run = [params](const KernelArguments& a) {
      int8::depthwise_conv2d_reference(params, a.in<int8_t>(), a.out<int8_t>());
    }};
  }
  const WindowGeometry& g = params.geometry;
  const ImageParts parts(g, depthwise_row_work(g, params.out_channels),
                         int8::depthwise_conv2d_workspace_bytes(params));
  return {.run = over_images<int8_t>(
              g, g.out_pixels() * params.out_channels, parts,
              [=](const int8_t* x, int64_t begin, int64_t end, std::byte* scratch, int8_t* y) {
                int8::depthwise_conv2d_lines(params, x, begin, end, scratch, y);
              }),
          .scratch_bytes = parts.all_scratch_bytes()};
}

CompiledNode compile(const Parts& p, const op::Dense& o) {
  const int64_t features = p.filter.weight.dim(1);
  const auto params = int8::prepare_dense({p.in().size() / features, features}, p.in_params(), p.filter,
                                          p.stage(o.activation), p.q.runtime);
  if (p.kernels == Kernels::kReference) {
    return {.run = [params](const KernelArguments& a) {
      int8::dense_reference(params, a.in<int8_t>(), a.out<int8_t>());
    }};
  }
  return {.run =
              [params](const KernelArguments& a) {
                int8::dense(params, a.in<int8_t>(), a.scratch, a.out<int8_t>());
              },
          .scratch_bytes = int8::dense_workspace_bytes(params)};
}

CompiledNode compile(const Parts& p, const op::MaxPool2D& o) {
  const auto params = int8::prepare_pool2d(p.in(), p.in_params(), o.window, o.activation);
  return {.run = [params](const KernelArguments& a) {
    int8::max_pool2d(params, a.in<int8_t>(), a.out<int8_t>());
  }};
}

CompiledNode compile(const Parts& p, const op::AveragePool2D& o) {
  const auto params = int8::prepare_pool2d(p.in(), p.in_params(), o.window, o.activation);
  return {.run = [params](const KernelArguments& a) {
    int8::average_pool2d(params, a.in<int8_t>(), a.out<int8_t>());
  }};
}

CompiledNode compile(const Parts& p, const op::Mean& o) {
  const auto params = int8::prepare_mean(p.in(), p.in_params(), o.axes, p.stage());
  return {.run = [params](const KernelArguments& a) { int8::mean(params, a.in<int8_t>(), a.out<int8_t>()); }};
}

CompiledNode compile(const Parts& p, const op::Add& o) {
  const auto params =
      int8::prepare_add(p.in(0), p.in_params(0), p.in(1), p.in_params(1), p.stage(o.activation));
  return {.run = [params](const KernelArguments& a) {
    int8::add(params, a.in<int8_t>(0), a.in<int8_t>(1), a.out<int8_t>());
  }};
}

CompiledNode compile(const Parts& p, const op::Mul& o) {
  const auto params =
      int8::prepare_mul(p.in(0), p.in_params(0), p.in(1), p.in_params(1), p.stage(o.activation), p.q.runtime);
  return {.run = [params](const KernelArguments& a) {
    int8::mul(params, a.in<int8_t>(0), a.in<int8_t>(1), a.out<int8_t>());
  }};
}

CompiledNode compile(const Parts& p, const op::Pad& o) {
  const auto zero = static_cast<int8_t>(p.out_params().zero_point);
  return {.run = [params = prepare_pad(p.in(), o.before, o.after), zero](const KernelArguments& a) {
    pad(params, a.in<int8_t>(), zero, a.out<int8_t>());
  }};
}

CompiledNode compile(const Parts& p, const op::Concatenation& o) {
  std::vector<AffineParams> all;
  for (ValueId id : p.node.inputs) all.push_back(p.q.params_of(id));
  int8::expect_equal_params("concatenation", all, p.out_params());
  const auto params = prepare_concatenation(input_shapes(p.q.graph, p.node), o.axis);
  return {.run = [params](const KernelArguments& a) {
    concatenation(params, a.all<int8_t>(params.widths.size()).data(), a.out<int8_t>());
  }};
}

CompiledNode compile_table(const int8::Lookup& table, int64_t size) {
  return {.run = [table, size](const KernelArguments& a) {
    int8::lookup(table, a.in<int8_t>(), size, a.out<int8_t>());
  }};
}

CompiledNode compile(const Parts& p, const op::Logistic&) {
  return compile_table(int8::logistic_table(p.in_params(), p.out_params(), p.q.runtime), p.size());
}

CompiledNode compile(const Parts& p, const op::Tanh&) {
  return compile_table(int8::tanh_table(p.in_params(), p.out_params(), p.q.runtime), p.size());
}

CompiledNode compile(const Parts& p, const op::Pointwise& o) {
  return compile_table(int8::make_lookup(o.function, p.in_params(), p.out_params()), p.size());
}

CompiledNode compile_requantize(const int8::RequantizeParams& params, int64_t size) {
  return {.run = [params, size](const KernelArguments& a) {
    int8::requantize(params, a.in<int8_t>(), size, a.out<int8_t>());
  }};
}

CompiledNode compile(const Parts& p, const op::Clamp& o) {
  return compile_requantize(int8::prepare_relu(p.in_params(), p.stage(o.activation), p.q.runtime), p.size());
}

CompiledNode compile(const Parts& p, const op::Quantize&) {
  if (p.q.is_int8(p.node.inputs[0])) {
    return compile_requantize(int8::prepare_requantize(p.in_params(), p.stage()), p.size());
  }
  return {.run = [params = p.out_params(), size = p.size()](const KernelArguments& a) {
    int8::quantize(params, a.in<float>(), size, a.out<int8_t>());
  }};
}

CompiledNode compile(const Parts& p, const op::Dequantize&) {
  return {.run = [params = p.in_params(), size = p.size()](const KernelArguments& a) {
    int8::dequantize(params, a.in<int8_t>(), size, a.out<float>());
  }};
}

CompiledNode compile(const Parts& p, const op::Softmax& o) {
  const auto params = int8::prepare_softmax(p.in(), p.in_params(), o.beta, rounding_of(p.q.runtime));
  return {
      .run = [params](const KernelArguments& a) { int8::softmax(params, a.in<int8_t>(), a.out<int8_t>()); }};
}

CompiledNode compile(const Parts&, const op::Reshape&) { return {}; }

CompiledNode compile(const Parts&, const op::BatchNorm&) {
  throw Error(ErrorKind::kUnsupported, {.what = "batch_norm has no integer form"});
}

}  // namespace

CompiledNode compile_int8(const QuantizedGraph& q, size_t i, Kernels kernels) {
  const Parts parts = {.q = q, .node = q.graph.nodes[i], .filter = q.filters[i], .kernels = kernels};
  try {
    return std::visit([&](const auto& o) { return compile(parts, o); }, parts.node.op);
  } catch (const Error& error) {  // of a file's many nodes, which?
    throw Error(error.kind(), {.what = concat(q.graph.value(parts.node.output).name, ": ", error.what())});
  }
}

}  // namespace qlimit
