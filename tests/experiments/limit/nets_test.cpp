#include "experiments/limit/nets.h"

#include <gtest/gtest.h>

#include "experiments/models.h"
#include "layers/summary.h"
#include "quant/passes.h"
#include "quant/trace.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

Summary summary_of(const std::string& shape, int64_t width) {
  Random random(1, "test");
  return summarize(*net_family(shape).make(width, random, 3), {1, 32, 32, 3});
}

// Width 16, by hand: weights and two numbers of batch norm a channel; then pixels times weights.
TEST(Nets, ThePublishedSeparableNet) {
  const Summary net = summary_of("separable", 16);
  EXPECT_EQ(net.parameters, (432 + 32) + (144 + 32 + 384 + 48) + (216 + 48 + 768 + 64) +
                                (288 + 64 + 1024 + 64) + (288 + 64 + 1536 + 96) + (432 + 96 + 2304 + 96) +
                                (480 + 10));
  EXPECT_EQ(net.parameters, 9010);
  EXPECT_EQ(net.multiply_adds,
            1024 * (432 + 144 + 384) + 256 * (216 + 768 + 288 + 1024) + 64 * (288 + 1536 + 432 + 2304) + 480);
  EXPECT_NEAR(static_cast<double>(net.multiply_adds), 1.9e6, 0.05e6);
}

TEST(Nets, ThePlainNetOfWidth8IsMicroCifar) {
  Random random(1, "test"), again(1, "test");
  const auto net = plain_model(8, random);
  const auto micro = micro_cifar_model(again);
  EXPECT_EQ(to_string(trace(*net, {1, 32, 32, 3})), to_string(trace(*micro, {1, 32, 32, 3})));
  EXPECT_EQ(summary_of("plain", 8).parameters, 10474);
}

TEST(Nets, ParametersFollowTheFormulas) {
  for (const int64_t w : net_family("plain").widths)
    EXPECT_EQ(summary_of("plain", w).parameters, 153 * w * w + 84 * w + 10) << w;
  for (const int64_t w : net_family("separable").widths)
    EXPECT_EQ(2 * summary_of("separable", w).parameters, 47 * w * w + 373 * w + 20) << w;
}

// From about 1,000 to 350,000 parameters, in steps of similar ratio.
TEST(Nets, SizesAreEvenlySpread) {
  for (const NetFamily& family : net_families()) {
    ASSERT_GE(family.widths.size(), 8u);
    std::vector<double> sizes;
    for (const int64_t w : family.widths)
      sizes.push_back(static_cast<double>(summary_of(family.name, w).parameters));
    EXPECT_NEAR(sizes.front(), 1000, 250) << family.name;
    EXPECT_NEAR(sizes.back(), 350000, 12000) << family.name;
    for (size_t i = 1; i < sizes.size(); ++i) {
      EXPECT_GT(sizes[i] / sizes[i - 1], 1.7) << family.name << " " << i;
      EXPECT_LE(sizes[i] / sizes[i - 1], 3.01) << family.name << " " << i;
    }
  }
}

// Two additions, nothing left of batch norm and ReLU: what the integer engine runs.
TEST(Nets, SeparableNetsFoldCompletely) {
  Random random(1, "test");
  const auto net = separable_model(4, random);
  Graph graph = trace(*net, {1, 32, 32, 3});
  run_passes(graph);
  std::string operations;
  for (const Node& node : graph.nodes) operations += op_name(node.op) + " ";
  const std::string separable = "depthwise_conv2d conv2d ";
  EXPECT_EQ(operations, "conv2d " + separable + "max_pool2d " + separable + separable + "add max_pool2d " +
                            separable + separable + "add mean dense ");
}

TEST(Nets, ImpossibleOnesAreRefused) {
  Random random(1, "test");
  expect_error([&] { plain_model(0, random); }, ErrorKind::kUsage, {"plain", "at least 1", "0"});
  expect_error([&] { separable_model(5, random); }, ErrorKind::kUsage, {"separable", "even", "5"});
  expect_error([&] { net_family("round"); }, ErrorKind::kUsage, {"plain or separable", "round"});
}

}  // namespace
}  // namespace qlimit
