#include "tests/bench/peers/xnnpack_net.h"

#include <pthreadpool.h>
#include <xnnpack.h>

#include <algorithm>
#include <limits>
#include <map>

#include "core/error.h"

namespace qlimit {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

void check(xnn_status status, const char* what) {
  if (status == xnn_status_success) return;
  throw Error(ErrorKind::kUnsupported, {.what = "XNNPACK refuses", .where = what, .found = concat(status)});
}

// Pools live as long as the program: their threads are expensive to start, and sleep between the runs.
pthreadpool_t pool_of(int threads) {
  if (threads == 1) return nullptr;
  static std::map<int, pthreadpool_t> pools;
  const auto [pool, is_new] = pools.try_emplace(threads);
  if (is_new) pool->second = pthreadpool_create(static_cast<size_t>(threads));
  return pool->second;
}

/// T: float or int8_t.
template <typename T>
class XnnpackNet : public PeerWork {
 public:
  XnnpackNet(const Graph& graph, const Tensor<T>& images, int threads)
      : graph_(graph), batch_(static_cast<size_t>(images.dim(0))), pool_(pool_of(threads)) {
    check(xnn_initialize(nullptr), "initialize");
    std::copy(images.begin(), images.end(), buffer(graph.input));
  }
  ~XnnpackNet() override {
    for (const xnn_operator_t op : operators_) xnn_delete_operator(op);
  }
  XnnpackNet(const XnnpackNet&) = delete;
  XnnpackNet& operator=(const XnnpackNet&) = delete;

  void run() override {
    for (const xnn_operator_t op : operators_) check(xnn_run_operator(op, pool_), "run");
  }

 protected:
  struct Product {  // a convolution; a dense layer is one with a 1x1 window on one pixel
    const Node& node;
    uint32_t kernel;
    size_t height, width, in_channels, out_channels;
    bool relu;

    uint32_t border() const { return kernel / 2; }
  };
  struct Pool {
    const Node& node;
    size_t height, width, channels;
  };

  virtual xnn_operator_t product(const Product& p) = 0;
  virtual xnn_operator_t max_pool(const Pool& p) = 0;
  virtual xnn_operator_t mean(const Pool& p) = 0;

  void add_all() {
    for (const Node& node : graph_.nodes) {
      const Shape& x = graph_.value(node.inputs[0]).shape;
      const auto size = [&](int axis) { return static_cast<size_t>(x[axis]); };
      if (const auto* conv = std::get_if<op::Conv2D>(&node.op)) {
        operators_.push_back(
            product({node, static_cast<uint32_t>(conv->window.kernel_h), size(1), size(2), size(3),
                     channels(node.output), conv->activation == Activation::kRelu}));
      } else if (const auto* dense = std::get_if<op::Dense>(&node.op)) {
        operators_.push_back(product({node, 1, 1, 1, static_cast<size_t>(x.size()), channels(node.output),
                                      dense->activation == Activation::kRelu}));
      } else if (std::holds_alternative<op::MaxPool2D>(node.op)) {
        operators_.push_back(max_pool({node, size(1), size(2), size(3)}));
      } else if (std::holds_alternative<op::Mean>(node.op)) {
        operators_.push_back(mean({node, size(1), size(2), size(3)}));
      } else if (std::holds_alternative<op::Reshape>(node.op)) {
        values_[node.output] = buffer(node.inputs[0]);
      } else {
        throw Error(ErrorKind::kUnsupported,
                    {.what = "no peer for this operation", .found = op_name(node.op)});
      }
    }
  }

  /// Where a value lies; XNNPACK reads a little behind it.
  T* buffer(ValueId id) {
    const auto found = values_.find(id);
    if (found != values_.end()) return found->second;
    const size_t size = batch_ * static_cast<size_t>(graph_.value(id).shape.size());
    memory_.push_back(std::make_unique<T[]>(size + XNN_EXTRA_BYTES));
    return values_[id] = memory_.back().get();
  }
  size_t channels(ValueId id) const {
    const Shape& shape = graph_.value(id).shape;
    return static_cast<size_t>(shape[shape.rank() - 1]);
  }

  const Graph& graph_;
  const size_t batch_;
  const pthreadpool_t pool_;

 private:
  std::vector<xnn_operator_t> operators_;
  std::vector<std::unique_ptr<T[]>> memory_;
  std::map<ValueId, T*> values_;
};

class FloatNet : public XnnpackNet<float> {
 public:
  FloatNet(const Graph& graph, const Tensor<float>& images, int threads)
      : XnnpackNet(graph, images, threads) {
    add_all();
    results_ = buffer(graph.output);
  }

  std::vector<float> outputs() const override {
    return {results_, results_ + batch_ * channels(graph_.output)};
  }

 private:
  const float* constant(ValueId id) const { return graph_.value(id).constant.data(); }

  xnn_operator_t product(const Product& p) override {
    xnn_operator_t op = nullptr;
    check(xnn_create_convolution2d_nhwc_f32(
              p.border(), p.border(), p.border(), p.border(), p.kernel, p.kernel, 1, 1, 1, 1, 1,
              p.in_channels, p.out_channels, p.in_channels, p.out_channels, constant(p.node.inputs[1]),
              constant(p.node.inputs[2]), p.relu ? 0 : -kInfinity, kInfinity, 0, &op),
          "convolution");
    check(xnn_setup_convolution2d_nhwc_f32(op, batch_, p.height, p.width, buffer(p.node.inputs[0]),
                                           buffer(p.node.output), pool_),
          "convolution");
    return op;
  }

  xnn_operator_t max_pool(const Pool& p) override {
    xnn_operator_t op = nullptr;
    check(xnn_create_max_pooling2d_nhwc_f32(0, 0, 0, 0, 2, 2, 2, 2, 1, 1, p.channels, p.channels, p.channels,
                                            -kInfinity, kInfinity, 0, &op),
          "max pool");
    check(xnn_setup_max_pooling2d_nhwc_f32(op, batch_, p.height, p.width, buffer(p.node.inputs[0]),
                                           buffer(p.node.output), pool_),
          "max pool");
    return op;
  }

  xnn_operator_t mean(const Pool& p) override {
    xnn_operator_t op = nullptr;
    check(xnn_create_global_average_pooling_nwc_f32(p.channels, p.channels, p.channels, -kInfinity, kInfinity,
                                                    0, &op),
          "global average pool");
    check(xnn_setup_global_average_pooling_nwc_f32(op, batch_, p.height * p.width, buffer(p.node.inputs[0]),
                                                   buffer(p.node.output), pool_),
          "global average pool");
    return op;
  }

  const float* results_ = nullptr;
};

class Int8Net : public XnnpackNet<int8_t> {
 public:
  Int8Net(const QuantizedGraph& q, const Tensor<int8_t>& images, int threads)
      : XnnpackNet(q.graph, images, threads), q_(q) {
    add_all();
    results_ = buffer(q.graph.output);
  }

  std::vector<float> outputs() const override {
    const AffineParams p = q_.params_of(graph_.output);
    std::vector<float> real(batch_ * channels(graph_.output));
    for (size_t i = 0; i < real.size(); ++i)
      real[i] = p.scale * static_cast<float>(results_[i] - p.zero_point);
    return real;
  }

 private:
  struct Grid {
    float scale;
    int8_t zero;
  };
  Grid grid(ValueId id) const {
    const AffineParams& p = q_.params_of(id);
    return {p.scale, static_cast<int8_t>(p.zero_point)};
  }

  xnn_operator_t product(const Product& p) override {
    const auto number = static_cast<size_t>(&p.node - graph_.nodes.data());
    const QuantizedFilter& f = q_.filters[number];
    std::vector<float> scales = f.scales;
    if (scales.size() == 1) scales.assign(p.out_channels, scales[0]);
    const Grid from = grid(p.node.inputs[0]), to = grid(p.node.output);
    xnn_operator_t op = nullptr;
    check(xnn_create_convolution2d_nhwc_qc8(p.border(), p.border(), p.border(), p.border(), p.kernel,
                                            p.kernel, 1, 1, 1, 1, 1, p.in_channels, p.out_channels,
                                            p.in_channels, p.out_channels, from.zero, from.scale,
                                            scales.data(), f.weight.data(), f.bias.data(), to.zero, to.scale,
                                            p.relu ? to.zero : int8_t{-128}, 127, 0, &op),
          "convolution");
    check(xnn_setup_convolution2d_nhwc_qc8(op, batch_, p.height, p.width, buffer(p.node.inputs[0]),
                                           buffer(p.node.output), pool_),
          "convolution");
    return op;
  }

  xnn_operator_t max_pool(const Pool& p) override {
    xnn_operator_t op = nullptr;
    check(xnn_create_max_pooling2d_nhwc_s8(0, 0, 0, 0, 2, 2, 2, 2, 1, 1, p.channels, p.channels, p.channels,
                                           -128, 127, 0, &op),
          "max pool");
    check(xnn_setup_max_pooling2d_nhwc_s8(op, batch_, p.height, p.width, buffer(p.node.inputs[0]),
                                          buffer(p.node.output), pool_),
          "max pool");
    return op;
  }

  xnn_operator_t mean(const Pool& p) override {
    const Grid from = grid(p.node.inputs[0]), to = grid(p.node.output);
    xnn_operator_t op = nullptr;
    check(xnn_create_global_average_pooling_nwc_qs8(p.channels, p.channels, p.channels, from.zero, from.scale,
                                                    to.zero, to.scale, -128, 127, 0, &op),
          "global average pool");
    check(xnn_setup_global_average_pooling_nwc_qs8(op, batch_, p.height * p.width, buffer(p.node.inputs[0]),
                                                   buffer(p.node.output), pool_),
          "global average pool");
    return op;
  }

  const QuantizedGraph& q_;
  const int8_t* results_ = nullptr;
};

}  // namespace

std::unique_ptr<PeerWork> xnnpack_float_net(const Graph& graph, const Tensor<float>& images, int threads) {
  return std::make_unique<FloatNet>(graph, images, threads);
}

std::unique_ptr<PeerWork> xnnpack_int8_net(const QuantizedGraph& q, const Tensor<int8_t>& images,
                                           int threads) {
  return std::make_unique<Int8Net>(q, images, threads);
}

}  // namespace qlimit
