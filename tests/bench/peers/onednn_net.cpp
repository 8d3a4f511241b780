#include "tests/bench/peers/onednn_net.h"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>
#include <utility>

#include "core/error.h"

namespace qlimit {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;
using Type = memory::data_type;

// Weights and biases of a layer as oneDNN multiplies them, and what turns its integer sums into outputs.
struct Filter {
  Type type, bias_type;
  const void* weights;  // [O,H,W,C]
  const void* bias;
  std::vector<float> scales;  // one for each output channel; empty for floats
};

class OnednnNet : public PeerWork {
 public:
  OnednnNet(const Graph& graph, int64_t batch, int threads)
      : graph_(graph),
        batch_(batch),
        threads_(threads),
        engine_(dnnl::engine::kind::cpu, 0),
        stream_(engine_) {
    omp_set_num_threads(threads);
  }

  void run() override {
    omp_set_num_threads(threads_);
    for (const Step& step : steps_) step.primitive.execute(stream_, step.arguments);
    stream_.wait();
  }

 protected:
  struct Step {
    dnnl::primitive primitive;
    std::unordered_map<int, memory> arguments;
  };

  // The shape of a value in oneDNN's order, for the whole batch.
  memory::dims dims(ValueId id) const {
    const Shape& s = graph_.value(id).shape;
    return s.rank() == 4 ? memory::dims{batch_, s[3], s[1], s[2]} : memory::dims{batch_, s[1]};
  }

  // The images, in the layout that everybody has them in.
  void set_input(Type type, const void* images) {
    now_ = memory({dims(graph_.input), type, Tag::nhwc}, engine_);
    std::copy_n(static_cast<const std::byte*>(images), now_.get_desc().get_size(),
                static_cast<std::byte*>(now_.get_data_handle()));
  }

  memory packed(const memory::dims& shape, Type type, Tag layout, const void* data,
                const memory::desc& wanted) {
    memory plain({shape, type, layout}, engine_, const_cast<void*>(data)), result(wanted, engine_);
    dnnl::reorder(plain, result).execute(stream_, plain, result);
    stream_.wait();
    return result;
  }

  // What is computed next reads `wanted`: the present activation, in another layout if need be.
  memory source(const memory::desc& wanted) {
    if (now_.get_desc() == wanted) return now_;
    memory other(wanted, engine_);
    steps_.push_back({dnnl::reorder(now_, other), {{DNNL_ARG_FROM, now_}, {DNNL_ARG_TO, other}}});
    return other;
  }

  static dnnl::primitive_attr attributes(const Filter& filter, Activation activation) {
    dnnl::primitive_attr attributes;
    if (!filter.scales.empty()) attributes.set_output_scales(1 << 1, filter.scales);
    if (activation == Activation::kRelu) {
      dnnl::post_ops after;
      after.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
      attributes.set_post_ops(after);
    }
    return attributes;
  }

  template <typename Primitive, typename Description>
  void add_product(const Description& description, const memory::dims& weights_shape, const Filter& filter,
                   Activation activation) {
    const typename Primitive::primitive_desc plan(description, attributes(filter, activation), engine_);
    const memory from = source(plan.src_desc());
    const Tag layout = weights_shape.size() == 4 ? Tag::ohwi : Tag::oi;
    const memory weights = packed(weights_shape, filter.type, layout, filter.weights, plan.weights_desc());
    const memory bias = packed({weights_shape[0]}, filter.bias_type, Tag::x, filter.bias, plan.bias_desc());
    now_ = memory(plan.dst_desc(), engine_);
    steps_.push_back(
        {Primitive(plan),
         {{DNNL_ARG_SRC, from}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_BIAS, bias}, {DNNL_ARG_DST, now_}}});
  }

  void add_conv_block(const Node& node, const op::Conv2D& conv, const Filter& filter, Type result) {
    const Shape& w = graph_.value(node.inputs[1]).shape;
    const memory::dims weights = {w[0], w[3], w[1], w[2]}, one = {1, 1}, border = {w[1] / 2, w[2] / 2};
    // The first one takes the images as they lie, the others choose.
    const memory::desc from =
        steps_.empty() ? now_.get_desc() : memory::desc(dims(node.inputs[0]), type_now(), Tag::any);
    add_product<dnnl::convolution_forward>(
        dnnl::convolution_forward::desc(
            dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, from,
            memory::desc(weights, filter.type, Tag::any), memory::desc({w[0]}, filter.bias_type, Tag::x),
            memory::desc(dims(node.output), result, Tag::any), one, border, border),
        weights, filter, conv.activation);
  }

  void add_dense(const Node& node, const op::Dense& dense, const Filter& filter, Type result) {
    const int64_t outputs = graph_.value(node.output).shape[1];
    memory::dims shape = now_.get_desc().dims();  // of an image, whose pixels need not be flattened before
    if (shape.size() == 4 && shape[2] == 1 && shape[3] == 1) {
      // One pixel: the same bytes as a row.
      const memory row = source({shape, type_now(), Tag::nchw});
      rows_.push_back(row);
      now_ = memory({{shape[0], shape[1]}, type_now(), Tag::nc}, engine_, row.get_data_handle());
      shape = {shape[0], shape[1]};
    }
    memory::dims weights = shape;
    weights[0] = outputs;
    add_product<dnnl::inner_product_forward>(
        dnnl::inner_product_forward::desc(
            dnnl::prop_kind::forward_inference, memory::desc(shape, type_now(), Tag::any),
            memory::desc(weights, filter.type, Tag::any), memory::desc({outputs}, filter.bias_type, Tag::x),
            memory::desc({batch_, outputs}, result, Tag::nc)),
        weights, filter, dense.activation);
  }

  void add_pool(dnnl::algorithm algorithm, const memory::dims& window) {
    memory::dims to = now_.get_desc().dims();
    for (size_t axis : {0, 1}) to[axis + 2] /= window[axis];
    const dnnl::pooling_forward::primitive_desc plan({dnnl::prop_kind::forward_inference,
                                                      algorithm,
                                                      now_.get_desc(),
                                                      memory::desc(to, type_now(), Tag::any),
                                                      window,
                                                      window,
                                                      {0, 0},
                                                      {0, 0}},
                                                     engine_);
    const memory from = now_;
    now_ = memory(plan.dst_desc(), engine_);
    steps_.push_back({dnnl::pooling_forward(plan), {{DNNL_ARG_SRC, from}, {DNNL_ARG_DST, now_}}});
  }

  /// `filter(node)` gives a layer's weights, `result(node)` the type of what it computes.
  template <typename FilterOf, typename ResultOf>
  void add_all(const FilterOf& filter, const ResultOf& result) {
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      if (const auto* conv = std::get_if<op::Conv2D>(&node.op)) {
        add_conv_block(node, *conv, filter(i), result(node));
      } else if (const auto* dense = std::get_if<op::Dense>(&node.op)) {
        add_dense(node, *dense, filter(i), result(node));
      } else if (std::holds_alternative<op::MaxPool2D>(node.op)) {
        add_pool(dnnl::algorithm::pooling_max, {2, 2});
      } else if (std::holds_alternative<op::Mean>(node.op)) {
        const memory::dims from = now_.get_desc().dims();
        add_pool(dnnl::algorithm::pooling_avg_exclude_padding, {from[2], from[3]});
      } else if (!std::holds_alternative<op::Reshape>(node.op)) {
        throw Error(ErrorKind::kUnsupported,
                    {.what = "no peer for this operation", .found = op_name(node.op)});
      }
    }
  }

  Type type_now() const { return now_.get_desc().data_type(); }
  template <typename T>
  std::vector<float> values(float scale) const {
    const T* from = static_cast<const T*>(now_.get_data_handle());
    std::vector<float> result(now_.get_desc().get_size() / sizeof(T));
    for (size_t i = 0; i < result.size(); ++i) result[i] = scale * static_cast<float>(from[i]);
    return result;
  }

  const Graph& graph_;
  const int64_t batch_;
  const int threads_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  memory now_;  // the activation that the next step reads
  std::vector<Step> steps_;
  std::vector<memory> rows_;  // that others look at
};

class FloatNet : public OnednnNet {
 public:
  FloatNet(const Graph& graph, const Tensor<float>& images, int threads)
      : OnednnNet(graph, images.dim(0), threads) {
    set_input(Type::f32, images.data());
    const auto filter = [&](size_t i) {
      const Node& node = graph.nodes[i];
      return Filter{Type::f32,
                    Type::f32,
                    graph.value(node.inputs[1]).constant.data(),
                    graph.value(node.inputs[2]).constant.data(),
                    {}};
    };
    add_all(filter, [](const Node&) { return Type::f32; });
  }

  std::vector<float> outputs() const override { return values<float>(1); }
};

// Activations are u8 with zero point 0: ours plus 128, as all of ours but the last have the zero point -128.
// The last one is s8, with half the steps.
class Int8Net : public OnednnNet {
 public:
  Int8Net(const QuantizedGraph& q, const Tensor<int8_t>& images, int threads)
      : OnednnNet(q.graph, images.dim(0), threads), output_scale_(2 * q.params_of(q.graph.output).scale) {
    std::vector<uint8_t> unsigned_images(static_cast<size_t>(images.size()));
    std::transform(images.begin(), images.end(), unsigned_images.begin(),
                   [](int8_t x) { return static_cast<uint8_t>(x + 128); });
    set_input(Type::u8, unsigned_images.data());

    const auto filter = [&](size_t i) {
      const Node& node = q.graph.nodes[i];
      const QuantizedFilter& f = q.filters[i];
      const bool last = node.output == q.graph.output;
      const float to = last ? output_scale_ : q.params_of(node.output).scale;
      std::vector<float> scales(f.bias.size());
      for (size_t c = 0; c < scales.size(); ++c) {
        scales[c] = scale_of(q, node.inputs[0]) * f.scales[f.scales.size() > 1 ? c : 0] / to;
      }
      return Filter{Type::s8, Type::s32, f.weight.data(), f.bias.data(), scales};
    };
    add_all(filter, [&](const Node& node) { return node.output == q.graph.output ? Type::s8 : Type::u8; });
  }

  std::vector<float> outputs() const override { return values<int8_t>(output_scale_); }

 private:
  // oneDNN's average pool keeps the scale of what it reads.
  static float scale_of(const QuantizedGraph& q, ValueId id) {
    const int producer = q.graph.producer(id);
    const Node* node = producer < 0 ? nullptr : &q.graph.nodes[static_cast<size_t>(producer)];
    const bool is_mean = node && std::holds_alternative<op::Mean>(node->op);
    return q.params_of(is_mean ? node->inputs[0] : id).scale;
  }

  const float output_scale_;
};

}  // namespace

std::unique_ptr<PeerWork> onednn_float_net(const Graph& graph, const Tensor<float>& images, int threads) {
  return std::make_unique<FloatNet>(graph, images, threads);
}

std::unique_ptr<PeerWork> onednn_int8_net(const QuantizedGraph& q, const Tensor<int8_t>& images,
                                          int threads) {
  return std::make_unique<Int8Net>(q, images, threads);
}

}  // namespace qlimit
