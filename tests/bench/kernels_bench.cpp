// Each kernel by itself, on the shapes that it has in the three nets: its rate, and which share of the
// measured peak of this machine (core/kernels/peak.h) that is.
//
//   tests/run --bench --benchmark_filter=conv_forward/standard          ours, and oneDNN's product
//   tests/run --bench --benchmark_filter=int8/standard
//   tests/run --bench --benchmark_filter=backward/micro/batch_norm2d
//
// conv_forward, conv_input_gradient and conv_weight_gradient are the three products of a convolution in
// training, of 64 images. Beside ours, which make no patch matrix, stands oneDNN's product of the matrices
// that im2col would make: as many multiply-adds, the matrices for nothing.
// int8 and fp32 are the operations of the compiled nets, 64 images; forward and backward are layers in
// training, 128 images: those without multiply-adds are limited by memory, and show the bytes that they have
// to read and write at the least.
#include <benchmark/benchmark.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "core/kernels/conv.h"
#include "core/kernels/peak.h"
#include "core/parallel.h"
#include "core/random.h"
#include "layers/batch_norm2d.h"
#include "layers/dense.h"
#include "layers/depthwise_conv2d.h"
#include "layers/global_average_pool.h"
#include "layers/max_pool2d.h"
#include "layers/relu.h"
#include "quant/calibrate.h"
#include "quant/cost.h"
#include "quant/float_executor.h"
#include "quant/passes.h"
#include "quant/quantized_model.h"
#include "quant/trace.h"
#include "tests/bench/nets.h"
#include "tests/bench/peers/peers.h"

namespace qlimit {
namespace {

constexpr int64_t kProductBatch = 64, kOperationBatch = 64, kLayerBatch = 128;
constexpr Window k3x3{.kernel_h = 3, .kernel_w = 3, .padding = Padding::kSame};

double peak(Arithmetic arithmetic, int threads) {
  static std::map<std::pair<Arithmetic, int>, double> measured;
  const auto [place, is_new] = measured.try_emplace({arithmetic, threads});
  if (is_new) {
    set_thread_count(threads);
    place->second = peak_multiply_adds(arithmetic);
  }
  return place->second;
}

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Times `body` and returns the seconds of one call.
template <typename Body>
double measure(benchmark::State& state, const Body& body) {
  body();
  const Clock::time_point start = Clock::now();
  for (auto _ : state) body();
  return seconds_since(start) / static_cast<double>(state.iterations());
}

// Of what took so long.
void report_products(benchmark::State& state, Arithmetic arithmetic, int threads, int64_t multiply_adds,
                     double seconds) {
  const double rate = static_cast<double>(multiply_adds) / seconds;
  state.counters["Gop/s"] = 2e-9 * rate;
  state.counters["peak_percent"] = 100 * rate / peak(arithmetic, threads);
}

void report_bytes(benchmark::State& state, int64_t bytes, double seconds) {
  state.counters["GB/s"] = 1e-9 * static_cast<double>(bytes) / seconds;
}

Tensor<Real> random_tensor(const Shape& shape) {
  Random random(7, "benchmark");
  Tensor<Real> tensor(shape);
  for (Real& x : tensor) x = static_cast<Real>(random.normal());
  return tensor;
}

// ---- the three products of a convolution ----

struct Conv {
  std::string name;  // "standard/conv2"
  WindowGeometry geometry;
  int64_t out_channels;

  int64_t in_size() const { return geometry.in_h * geometry.in_w * geometry.channels; }
  int64_t out_size() const { return geometry.out_pixels() * out_channels; }
  int64_t multiply_adds() const { return geometry.batch * out_size() * geometry.patch_size(); }
};

std::vector<Conv> convolutions() {
  std::vector<Conv> all;
  for (const Net& net : nets()) {
    int number = 0;
    const Graph& graph = folded_graph(net);
    for (const Node& node : graph.nodes) {
      if (const auto* conv = std::get_if<op::Conv2D>(&node.op)) {
        const Shape input = with_batch(graph.value(node.inputs[0]).shape, kProductBatch);
        all.push_back({std::string(net.name) + "/conv" + std::to_string(++number),
                       lay_window("conv2d", conv->window, input), graph.value(node.output).shape[3]});
      }
    }
  }
  return all;
}

struct ConvData {
  Tensor<Real> x, weights, y;

  explicit ConvData(const Conv& c)
      : x(random_tensor({c.geometry.batch, c.in_size()})),
        weights(random_tensor({c.out_channels, c.geometry.patch_size()})),
        y(random_tensor({c.geometry.batch, c.out_size()})) {}
};

using ConvPass = void (*)(const Conv&, ConvData&);

void for_each_image(const Conv& c, int64_t scratch_bytes,
                    const std::function<void(int64_t image, std::byte* scratch)>& body) {
  parallel_for(c.geometry.batch, 1, [&](int64_t begin, int64_t end) {
    Tensor<std::byte> scratch = Tensor<std::byte>::uninitialized({scratch_bytes});
    for (int64_t n = begin; n < end; ++n) body(n, scratch.data());
  });
}

void conv_forward(const Conv& c, ConvData& d) {
  const PackedConv conv(c.geometry, d.weights.data(), c.out_channels);
  for_each_image(c, conv.scratch_bytes(), [&](int64_t n, std::byte* scratch) {
    conv.run(d.x.data() + n * c.in_size(), 0, c.geometry.out_h, scratch,
             {.out = d.y.data() + n * c.out_size()});
  });
}

void conv_input_gradient(const Conv& c, ConvData& d) {
  const PackedConv conv = input_gradient_conv(c.geometry, d.weights.data(), c.out_channels);
  for_each_image(c, conv.scratch_bytes(), [&](int64_t n, std::byte* scratch) {
    conv.run(d.y.data() + n * c.out_size(), 0, c.geometry.in_h, scratch,
             {.out = d.x.data() + n * c.in_size()});
  });
}

// Half of the batch each: what the layer adds up at the end is small.
void conv_weight_gradient(const Conv& c, ConvData& d) {
  const ConvGradient gradient(c.geometry, c.out_channels);
  const int64_t size = gradient.sums_size(), parts = 2;
  Tensor<Real> sums({parts, size});
  parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
    Tensor<std::byte> scratch = Tensor<std::byte>::uninitialized({gradient.scratch_bytes()});
    for (int64_t part = begin; part < end; ++part) {
      for (int64_t n = part; n < c.geometry.batch; n += parts) {
        gradient.add(d.x.data() + n * c.in_size(), d.y.data() + n * c.out_size(), scratch.data(),
                     sums.data() + part * size);
      }
    }
  });
}

void convolve(benchmark::State& state, const Conv& c, int threads, ConvPass pass) {
  ConvData data(c);
  set_thread_count(threads);
  const double seconds = measure(state, [&] { pass(c, data); });
  report_products(state, Arithmetic::kReal, threads, c.multiply_adds(), seconds);
}

// The same as a product of matrices: patches [P,K], filters [O,K], outputs [P,O].
MatrixProduct as_product(const Conv& c, ConvPass pass, const Tensor<float>& a, const Tensor<float>& b) {
  const int64_t pixels = c.geometry.batch * c.geometry.out_pixels(), patch = c.geometry.patch_size();
  const int64_t outputs = c.out_channels;
  if (pass == conv_forward) return {pixels, outputs, patch, a.data(), false, b.data(), true};
  if (pass == conv_input_gradient) return {pixels, patch, outputs, a.data(), false, b.data(), false};
  return {outputs, patch, pixels, a.data(), true, b.data(), false};
}

void multiply_matrices(benchmark::State& state, const Conv& c, int threads, ConvPass pass, const Peer& peer) {
  const MatrixProduct shape = as_product(c, pass, {}, {});
  const Tensor<float> a = random_tensor({shape.m, shape.k}), b = random_tensor({shape.k, shape.n});
  const auto work = peer.make_product(as_product(c, pass, a, b), threads);
  const double seconds = measure(state, [&] { work->run(); });
  report_products(state, Arithmetic::kReal, threads, c.multiply_adds(), seconds);
}

// ---- operations of the compiled nets ----

// A graph of one node of another one.
QuantizedGraph alone(const QuantizedGraph& q, size_t i) {
  const Node& node = q.graph.nodes[i];
  QuantizedGraph one{.graph = {}, .params = {}, .filters = {q.filters[i]}, .runtime = q.runtime};
  const auto copy = [&](ValueId id) {
    one.graph.values.push_back(q.graph.value(id));
    one.params.push_back(q.params_of(id));
    return static_cast<ValueId>(one.graph.values.size() - 1);
  };
  Node copied{.op = node.op, .inputs = {}};
  for (const ValueId input : node.inputs) copied.inputs.push_back(copy(input));
  copied.output = copy(node.output);
  one.graph.input = copied.inputs[0];
  one.graph.output = copied.output;
  one.graph.nodes = {copied};
  return one;
}

// Two depthwise convolutions, which the three nets have none of.
const QuantizedGraph& depthwise_graph() {
  static const QuantizedGraph quantized = [] {
    Random random(42, "weights");
    Sequential model;
    model.add<DepthwiseConv2D>(32, 1, k3x3, /*use_bias=*/true, random).add<ReLU>().add<MaxPool2D>(2);
    model.add<DepthwiseConv2D>(32, 2, k3x3, /*use_bias=*/true, random).add<ReLU>();
    const Graph graph = [&] {
      Graph traced = trace(model, {1, 16, 16, 32});
      run_passes(traced);
      return traced;
    }();
    return quantize(graph, calibrate(FloatExecutor(graph), random_tensor({8, 16, 16, 32})));
  }();
  return quantized;
}

int64_t stored_bytes(const Graph& graph, int64_t element_bytes) {
  return (graph.value(graph.input).shape.size() + graph.value(graph.output).shape.size()) * element_bytes;
}

void run_int8(benchmark::State& state, const QuantizedGraph& q, int threads) {
  set_thread_count(threads);
  const QuantizedModel model(q);
  const Shape input = repeated(q.graph.value(q.graph.input).shape, kOperationBatch);
  Random random(7, "bytes");
  Tensor<int8_t> images(input), results(repeated(q.graph.value(q.graph.output).shape, kOperationBatch));
  for (int8_t& x : images) x = static_cast<int8_t>(random.below(256));
  Workspace workspace = model.make_workspace(kOperationBatch);
  const double seconds =
      measure(state, [&] { model.run_stored(images.data(), kOperationBatch, results.data(), workspace); });
  const int64_t multiply_adds = total_cost(q).multiply_adds * kOperationBatch;
  if (multiply_adds > 0) report_products(state, Arithmetic::kInt8, threads, multiply_adds, seconds);
  report_bytes(state, kOperationBatch * stored_bytes(q.graph, 1), seconds);
}

void run_float(benchmark::State& state, const QuantizedGraph& q, int threads) {
  set_thread_count(threads);
  Graph graph = q.graph;
  for (Value& value : graph.values) value.type = DataType::kFloat32;
  const FloatExecutor executor(graph);
  const Tensor<float> images = random_tensor(repeated(graph.value(graph.input).shape, kOperationBatch));
  Tensor<float> results(repeated(graph.value(graph.output).shape, kOperationBatch));
  Workspace workspace = executor.make_workspace(kOperationBatch);
  const double seconds =
      measure(state, [&] { executor.run(images.data(), kOperationBatch, results.data(), workspace); });
  const int64_t multiply_adds = total_cost(q).multiply_adds * kOperationBatch;
  if (multiply_adds > 0) report_products(state, Arithmetic::kReal, threads, multiply_adds, seconds);
  report_bytes(state, kOperationBatch * stored_bytes(graph, 4), seconds);
}

// ---- layers in training ----

struct LayerCase {
  std::string name;
  std::shared_ptr<Layer> layer;
  Shape input;
};

// The layers around the convolutions, on each net's first and largest activations.
std::vector<LayerCase> layer_cases() {
  Random random(42, "weights");
  std::vector<LayerCase> cases;
  const auto add = [&](const std::string& net, const Shape& shape) {
    cases.push_back({net + "/batch_norm2d", std::make_shared<BatchNorm2D>(shape[3]), shape});
    cases.push_back({net + "/relu", std::make_shared<ReLU>(), shape});
    cases.push_back({net + "/max_pool2d", std::make_shared<MaxPool2D>(2), shape});
  };
  add("micro", {kLayerBatch, 32, 32, 8});
  add("standard", {kLayerBatch, 32, 32, 32});
  // Of the limit study: its channels do not divide a vector's lanes, nor these them.
  cases.push_back({"separable72/batch_norm2d", std::make_shared<BatchNorm2D>(72), {kLayerBatch, 32, 32, 72}});
  cases.push_back(
      {"micro/global_average_pool", std::make_shared<GlobalAveragePool>(), {kLayerBatch, 4, 4, 24}});
  cases.push_back({"standard/dense", std::make_shared<Dense>(2048, 32, true, random), {kLayerBatch, 2048}});
  return cases;
}

// Both ways of a layer; only one of them is timed. What is moved at the least: forward the input and the
// output once, backward besides these the gradient of each.
void train_layer(benchmark::State& state, const LayerCase& c, int threads, bool timed_backward) {
  set_thread_count(threads);
  const Variable x = Variable::parameter(random_tensor(c.input));
  const Tensor<Real> upstream = random_tensor((*c.layer)(x).shape());
  double total = 0;
  for (auto _ : state) {
    const Clock::time_point begin = Clock::now();
    const Variable y = (*c.layer)(x);
    const double forward_seconds = seconds_since(begin);
    const Clock::time_point middle = Clock::now();
    backward(y, upstream);
    const double seconds = timed_backward ? seconds_since(middle) : forward_seconds;
    state.SetIterationTime(seconds);
    total += seconds;
    Variable(x).clear_grad();
  }
  const int64_t bytes = (c.input.size() + upstream.size()) * static_cast<int64_t>(sizeof(Real));
  report_bytes(state, bytes * (timed_backward ? 2 : 1), total / static_cast<double>(state.iterations()));
}

// ---- registration ----

std::string with_threads(const std::string& name, int threads, const std::string& who) {
  return name + "/threads:" + std::to_string(threads) + "/" + who;
}

void register_products(int threads) {
  constexpr struct {
    const char* name;
    ConvPass pass;
  } kPasses[] = {{"conv_forward", conv_forward},
                 {"conv_input_gradient", conv_input_gradient},
                 {"conv_weight_gradient", conv_weight_gradient}};
  for (const Conv& c : convolutions()) {
    for (const auto& [name, pass] : kPasses) {
      const bool first = c.geometry.channels <= 3;
      if (first && pass == conv_input_gradient) continue;  // nobody wants the gradient of the images
      const std::string work = std::string(name) + "/" + c.name;
      benchmark::RegisterBenchmark(with_threads(work, threads, "qlimit").c_str(), convolve, c, threads, pass)
          ->UseRealTime()
          ->Unit(benchmark::kMicrosecond);
      for (const Peer& peer : peers()) {
        if (!peer.make_product) continue;
        benchmark::RegisterBenchmark(with_threads(work, threads, peer.name).c_str(), multiply_matrices, c,
                                     threads, pass, peer)
            ->UseRealTime()
            ->Unit(benchmark::kMicrosecond);
      }
    }
  }
}

void register_operations(int threads) {
  const auto add = [&](const std::string& net, const QuantizedGraph& q) {
    for (size_t i = 0; i < q.graph.nodes.size(); ++i) {
      if (std::holds_alternative<op::Reshape>(q.graph.nodes[i].op)) continue;
      const std::string work = "/" + net + "/" + q.graph.value(q.graph.nodes[i].output).name;
      const QuantizedGraph one = alone(q, i);
      const auto time = [&](const char* kind, auto run) {
        benchmark::RegisterBenchmark(with_threads(kind + work, threads, "qlimit").c_str(), run, one, threads)
            ->UseRealTime()
            ->Unit(benchmark::kMicrosecond);
      };
      time("int8", run_int8);
      time("fp32", run_float);
    }
  };
  for (const Net& net : nets()) add(net.name, quantized_graph(net));
  add("depthwise", depthwise_graph());
}

void register_layers(int threads) {
  for (const LayerCase& c : layer_cases()) {
    for (const bool timed_backward : {false, true}) {
      const std::string work = (timed_backward ? "backward/" : "forward/") + c.name;
      benchmark::RegisterBenchmark(with_threads(work, threads, "qlimit").c_str(), train_layer, c, threads,
                                   timed_backward)
          ->UseManualTime()
          ->Unit(benchmark::kMicrosecond);
    }
  }
}

}  // namespace
}  // namespace qlimit

int main(int argc, char** argv) {
  for (const int threads : {1, 2}) {
    qlimit::register_products(threads);
    qlimit::register_operations(threads);
    qlimit::register_layers(threads);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
