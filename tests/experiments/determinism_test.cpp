// The integers of a model are the same for every instruction set and any number of threads: those of the
// short definitions.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/kernels/isa.h"
#include "core/parallel.h"
#include "experiments/models.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/depthwise_conv2d.h"
#include "layers/global_average_pool.h"
#include "layers/relu.h"
#include "layers/sequential.h"
#include "quant/calibrate.h"
#include "quant/float_executor.h"
#include "quant/passes.h"
#include "quant/quantized_model.h"
#include "quant/trace.h"

namespace qlimit {
namespace {

class Determinism : public testing::Test {
 protected:
  ~Determinism() override {
    set_active_isa(isa_);
    set_thread_count(threads_);
  }

  /// Batch norm starts with means of 0 and variances of 1, so activations grow from layer to layer; for
  /// integers, whose scales follow, that is as good as a trained model.
  static void expect_equal_bits(Layer& model, const Shape& image, Random& random) {
    model.set_training(false);
    Tensor<float> images = Tensor<float>::uninitialized({5, image[1], image[2], image[3]});
    for (float& x : images) x = static_cast<float>(random.normal());
    Graph graph = trace(model, image);
    run_passes(graph);
    const QuantizedGraph quantized = quantize(graph, calibrate(FloatExecutor(graph), images));
    const Tensor<float> expected = QuantizedModel(quantized, Kernels::kReference).run(images);
    for (const Isa isa : supported_isas()) {
      set_active_isa(isa);
      const QuantizedModel integers(quantized);
      for (const int threads : {1, 2, 3}) {
        set_thread_count(threads);
        const Tensor<float> all = integers.run(images);
        ASSERT_TRUE(std::equal(all.begin(), all.end(), expected.begin())) << isa_name(isa) << ", " << threads;
        // An image by itself is divided among the threads.
        const Tensor<float> one({1, image[1], image[2], image[3]},
                                std::vector<float>(images.begin(), images.begin() + image.size()));
        const Tensor<float> alone = integers.run(one);
        ASSERT_TRUE(std::equal(alone.begin(), alone.end(), expected.begin()))
            << isa_name(isa) << ", " << threads;
      }
    }
  }

 private:
  Isa isa_ = active_isa();
  int threads_ = thread_count();
};

TEST_F(Determinism, TheModelsOfTheStudy) {
  Random random(31, "determinism");
  expect_equal_bits(*mnist_model(random), {1, 28, 28, 1}, random);
  expect_equal_bits(*micro_cifar_model(random), {1, 32, 32, 3}, random);
  expect_equal_bits(*standard_cifar_model(random), {1, 32, 32, 3}, random);
}

TEST_F(Determinism, ADepthwiseSeparableModel) {
  Random random(32, "separable");
  const Window three = {.kernel_h = 3, .kernel_w = 3},
               halves = {.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2};
  Sequential model;
  model.add<Conv2D>(3, 16, three, true, random);
  model.add<ReLU>();
  model.add<DepthwiseConv2D>(16, 1, three, true, random);
  model.add<Conv2D>(16, 24, Window{}, true, random);
  model.add<ReLU>();
  model.add<DepthwiseConv2D>(24, 1, halves, true, random);
  model.add<ReLU>();
  model.add<Conv2D>(24, 48, Window{}, true, random);
  model.add<DepthwiseConv2D>(48, 2, halves, true, random);
  model.add<GlobalAveragePool>();
  model.add<Dense>(96, 10, true, random);
  expect_equal_bits(model, {1, 32, 32, 3}, random);
}

}  // namespace
}  // namespace qlimit
