// From the naive loop to the kernels in use, step by step, on one thread: the figures of docs/performance.md.
//
//   tests/run --bench --benchmark_filter=steps
//
// Two convolutions of the study: micro's second, 8 to 16 channels on 16x16, and standard's second, 32 to 32
// on 32x32, each with the 2x2 max pool behind it. peak_percent is the share of what this machine can multiply
// in that type, with its best instruction set, padding counted as work.
#include <benchmark/benchmark.h>

#include <functional>
#include <map>
#include <string>

#include "core/kernels/conv.h"
#include "core/kernels/gemm.h"
#include "core/kernels/im2col.h"
#include "core/kernels/isa.h"
#include "core/kernels/peak.h"
#include "core/parallel.h"
#include "layers/batch_norm2d.h"
#include "layers/conv2d.h"
#include "layers/max_pool2d.h"
#include "layers/relu.h"
#include "layers/sequential.h"
#include "quant/kernels/conv2d.h"

namespace qlimit {
namespace {

constexpr Window k3x3{.kernel_h = 3, .kernel_w = 3, .padding = Padding::kSame};

struct Shapes {
  const char* name;
  int64_t size, channels, out_channels;

  WindowGeometry geometry(int64_t batch = 1) const {
    return lay_window("steps", k3x3, {batch, size, size, channels});
  }
  int64_t multiply_adds() const { return size * size * 9 * channels * out_channels; }
};

constexpr Shapes kShapes[] = {{"micro_conv2", 16, 8, 16}, {"standard_conv2", 32, 32, 32}};

Tensor<float> random_tensor(const Shape& shape) {
  Random random(7, "benchmark");
  Tensor<float> tensor(shape);
  for (float& x : tensor) x = static_cast<float>(random.normal());
  return tensor;
}

double peak(Arithmetic arithmetic) {
  static std::map<Arithmetic, double> measured;
  const auto [place, is_new] = measured.try_emplace(arithmetic);
  if (is_new) place->second = peak_multiply_adds(arithmetic);
  return place->second;
}

/// Times `body`, which does so many multiply-adds a call, on one thread with an instruction set.
void time_step(benchmark::State& state, Isa isa, Arithmetic arithmetic, int64_t multiply_adds,
               const std::function<std::function<void()>()>& prepare) {
  set_thread_count(1);
  set_active_isa(supported_isas().back());
  const double most = peak(arithmetic);
  set_active_isa(isa);
  const std::function<void()> body = prepare();
  for (auto _ : state) body();
  set_active_isa(supported_isas().back());
  const auto work = static_cast<double>(multiply_adds) * static_cast<double>(state.iterations());
  state.counters["Gop/s"] = benchmark::Counter(2e-9 * work, benchmark::Counter::kIsRate);
  state.counters["peak_percent"] = benchmark::Counter(100 * work / most, benchmark::Counter::kIsRate);
}

/// One convolution's tensors.
struct Data {
  WindowGeometry g;
  Tensor<float> x, w, y, pooled, taps, patches;

  explicit Data(const Shapes& s)
      : g(s.geometry()),
        x(random_tensor({s.size, s.size, s.channels})),
        w(random_tensor({s.out_channels, g.patch_size()})),
        y({s.size, s.size, s.out_channels}),
        pooled({s.size / 2, s.size / 2, s.out_channels}),
        taps(pooled.clone()),
        patches({g.out_pixels(), g.patch_size()}) {}
};

using Step = std::function<std::function<void()>(const Shapes&)>;

// The definition: for each output pixel and each tap inside the image, each channel by each filter.
std::function<void()> naive(const Shapes& s) {
  return [d = Data(s), outputs = s.out_channels]() mutable {
    d.y.fill(0);
    for_each_tap(d.g, [&](int64_t pixel, int64_t tap, int64_t in) {
      for (int64_t o = 0; o < outputs; ++o) {
        const float* w = d.w.data() + o * d.g.patch_size() + tap * d.g.channels;
        const float* x = d.x.data() + in * d.g.channels;
        float sum = 0;
        for (int64_t c = 0; c < d.g.channels; ++c) sum += x[c] * w[c];
        d.y[pixel * outputs + o] += sum;
      }
    });
    benchmark::DoNotOptimize(d.y.data());
  };
}

// Patches as a matrix, and three loops.
std::function<void()> three_loops(const Shapes& s) {
  return [d = Data(s), outputs = s.out_channels]() mutable {
    const int64_t patch = d.g.patch_size();
    im2col_reference(d.g, d.x.data(), 0, d.g.out_h, d.patches.data());
    gemm_reference(d.g.out_pixels(), outputs, patch, {d.patches.data(), patch, 1}, {d.w.data(), 1, patch},
                   d.y.data(), outputs);
    benchmark::DoNotOptimize(d.y.data());
  };
}

// The same with packed filters and tiles in registers.
std::function<void()> packed_product(const Shapes& s) {
  Data data(s);
  const PackedMatrix filters({data.w.data(), 1, data.g.patch_size()}, data.g.patch_size(), s.out_channels);
  return [d = data, filters, outputs = s.out_channels]() mutable {
    im2col(d.g, d.x.data(), 0, d.g.out_h, d.patches.data());
    gemm(d.g.out_pixels(), {d.patches.data(), d.g.patch_size(), 1}, filters, d.y.data(), outputs);
    benchmark::DoNotOptimize(d.y.data());
  };
}

// Without the matrix: the patch is read where it lies in lines with a border.
std::function<void()> lines(const Shapes& s, bool max_pool) {
  Data data(s);
  const PackedConv conv(data.g, data.w.data(), s.out_channels);
  return [d = data, conv, max_pool, scratch = Tensor<uint8_t>({conv.scratch_bytes()})]() mutable {
    conv.run(d.x.data(), 0, d.g.out_h, reinterpret_cast<std::byte*>(scratch.data()),
             {.max_pool = max_pool, .out = d.y.data()});
    benchmark::DoNotOptimize(d.y.data());
  };
}

int8::Conv2DParams int8_conv(const Shapes& s) {
  Random random(7, "benchmark");
  QuantizedFilter filter{.weight = Tensor<int8_t>({s.out_channels, 3, 3, s.channels}),
                         .scales = std::vector<float>(static_cast<size_t>(s.out_channels), 0.01f),
                         .bias = std::vector<int32_t>(static_cast<size_t>(s.out_channels), 100)};
  for (int8_t& w : filter.weight) w = static_cast<int8_t>(random.below(255) - 127);
  return int8::prepare_conv2d({1, s.size, s.size, s.channels}, {.scale = 0.02f, .zero_point = -3}, filter,
                              k3x3,
                              {.params = {.scale = 0.5f, .zero_point = 4}, .activation = Activation::kRelu});
}

std::function<void()> integers(const Shapes& s, bool reference, bool max_pool) {
  const int8::Conv2DParams params = int8_conv(s);
  Random random(8, "benchmark");
  Tensor<int8_t> x({s.size, s.size, s.channels}), y({s.size, s.size, s.out_channels});
  for (int8_t& v : x) v = static_cast<int8_t>(random.below(256));
  Tensor<uint8_t> scratch({int8::conv2d_workspace_bytes(params) + 64});
  return [=]() mutable {
    if (reference) {
      int8::conv2d_reference(params, x.data(), y.data());
    } else {
      int8::conv2d_lines(params, x.data(), 0, params.geometry.out_h, scratch.data(), y.data(), max_pool);
    }
    benchmark::DoNotOptimize(y.data());
  };
}

// A training step of the convolution, batch norm, ReLU and max pool, forward and back, 128 images: layer by
// layer, each result in memory, or together (layers/fusion.h).
std::function<void()> training(const Shapes& s, bool fused) {
  Random random(7, "weights");
  auto model = std::make_shared<Sequential>();
  model->add<Conv2D>(s.channels, s.out_channels, k3x3, true, random);
  model->add<BatchNorm2D>(s.out_channels).add<ReLU>().add<MaxPool2D>(2);
  Variable x = Variable::parameter(random_tensor({128, s.size, s.size, s.channels}));
  const Tensor<float> upstream = random_tensor({128, s.size / 2, s.size / 2, s.out_channels});
  return [=]() mutable {
    Variable y = x;
    if (fused) {
      y = (*model)(x);
    } else {
      for (const auto& layer : model->layers()) y = (*layer)(y);
    }
    backward(y, upstream);
    x.clear_grad();
    for (Parameter& parameter : model->parameters()) parameter.variable.clear_grad();
  };
}

void add_step(const Shapes& s, const std::string& step, Isa isa, Arithmetic arithmetic, int64_t multiply_adds,
              const Step& prepare) {
  const std::string name = concat("steps/", s.name, "/", step, "/", isa_name(isa));
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
    time_step(state, isa, arithmetic, multiply_adds, [&] { return prepare(s); });
  });
}

void register_all() {
  for (const Shapes& s : kShapes) {
    const int64_t work = s.multiply_adds();
    const auto add = [&](const std::string& step, Isa isa, const Step& prepare) {
      const bool is_int8 = step.starts_with("int8");
      add_step(s, step, isa, is_int8 ? Arithmetic::kInt8 : Arithmetic::kReal, work, prepare);
    };
    add("fp32_1_naive", Isa::kGeneric, naive);
    add("fp32_2_patches_and_three_loops", Isa::kGeneric, three_loops);
    for (const Isa isa : supported_isas()) add("fp32_3_patches_and_packed_product", isa, packed_product);
    for (const Isa isa : supported_isas())
      add("fp32_4_lines", isa, [](const Shapes& shapes) { return lines(shapes, false); });
    for (const Isa isa : supported_isas())
      add("fp32_5_lines_and_pool", isa, [](const Shapes& shapes) { return lines(shapes, true); });
    add("int8_1_reference", Isa::kGeneric,
        [](const Shapes& shapes) { return integers(shapes, true, false); });
    for (const Isa isa : supported_isas())
      add("int8_2_lines", isa, [](const Shapes& shapes) { return integers(shapes, false, false); });
    for (const Isa isa : supported_isas())
      add("int8_3_lines_and_pool", isa, [](const Shapes& shapes) { return integers(shapes, false, true); });
    const Isa best = supported_isas().back();
    for (const bool fused : {false, true}) {
      add_step(s, fused ? "training_2_fused" : "training_1_layer_by_layer", best, Arithmetic::kReal,
               3 * 128 * work, [fused](const Shapes& shapes) { return training(shapes, fused); });
    }
  }
}

}  // namespace
}  // namespace qlimit

int main(int argc, char** argv) {
  qlimit::register_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
