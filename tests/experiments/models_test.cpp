#include "experiments/models.h"

#include <gtest/gtest.h>

#include "layers/summary.h"

namespace qlimit {
namespace {

// Counted by hand: k*k*in*out + out for a convolution, 2*out for a batch norm, in*out + out for a dense
// layer; pixels times k*k*in*out multiply-adds.
TEST(Models, ParametersAndMultiplyAdds) {
  Random random(1, "test");
  const Summary mnist = summarize(*mnist_model(random), {1, 28, 28, 1});
  EXPECT_EQ(mnist.parameters, (9 * 8 + 8) + (9 * 8 * 16 + 16) + (784 * 10 + 10));
  EXPECT_EQ(mnist.multiply_adds, 784 * 9 * 8 + 196 * 9 * 8 * 16 + 784 * 10);

  const Summary micro = summarize(*micro_cifar_model(random), {1, 32, 32, 3});
  EXPECT_EQ(micro.parameters,
            (27 * 8 + 24) + (72 * 16 + 48) + (144 * 24 + 72) + (216 * 24 + 72) + (240 + 10));
  EXPECT_EQ(micro.multiply_adds, 1024 * 27 * 8 + 256 * 72 * 16 + 64 * 144 * 24 + 16 * 216 * 24 + 240);

  const Summary standard = summarize(*standard_cifar_model(random), {1, 32, 32, 3});
  EXPECT_EQ(standard.parameters, (27 * 32 + 96) + (288 * 32 + 96) + (288 * 64 + 192) + (576 * 64 + 192) +
                                     (576 * 128 + 384) + (1152 * 128 + 384) + (2048 * 32 + 32) + (320 + 10));
  EXPECT_EQ(standard.parameters, 353802);
  EXPECT_EQ(standard.multiply_adds,
            1024 * (27 + 288) * 32 + 256 * (288 + 576) * 64 + 64 * (576 + 1152) * 128 + 2048 * 32 + 320);
  for (const Summary& summary : {mnist, micro, standard})
    EXPECT_EQ(summary.rows.back().output, Shape({1, 10}));
}

TEST(Models, WeightsFollowFromTheStreamAlone) {
  Random first(5, "weights"), again(5, "weights"), other(6, "weights");
  const auto a = micro_cifar_model(first), b = micro_cifar_model(again), c = micro_cifar_model(other);
  const Tensor<Real>& weight = a->parameters().front().variable.value();
  EXPECT_TRUE(std::equal(weight.begin(), weight.end(), b->parameters().front().variable.value().begin()));
  EXPECT_FALSE(std::equal(weight.begin(), weight.end(), c->parameters().front().variable.value().begin()));
}

}  // namespace
}  // namespace qlimit
