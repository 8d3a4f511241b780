#include "quant/remedies/moments.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "quant/passes.h"
#include "tests/quant/random_graph.h"

namespace qlimit {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr Window kThree = {.kernel_h = 3, .kernel_w = 3};

/// Mean and variance of clamp(x) by adding up a fine grid.
Moments integrated(double mean, double deviation, double low, double high) {
  constexpr int kSteps = 400000;
  double weight = 0, first = 0, second = 0;
  for (int i = 0; i < kSteps; ++i) {
    const double z = -12 + 24 * (i + 0.5) / kSteps;
    const double share = std::exp(-z * z / 2);
    const double y = std::min(std::max(mean + deviation * z, low), high);
    weight += share, first += share * y, second += share * y * y;
  }
  return {first / weight, second / weight - first / weight * (first / weight)};
}

TEST(Moments, ClippedNormalIsTheIntegral) {
  for (double mean : {-7.0, -1.0, -0.2, 0.0, 0.5, 3.0, 9.0}) {
    for (double deviation : {0.1, 1.0, 4.0}) {
      for (const auto& [low, high] :
           {std::pair{0.0, kInfinity}, {0.0, 6.0}, {-1.0, 1.0}, {-kInfinity, kInfinity}}) {
        const Moments expected = integrated(mean, deviation, low, high);
        const Moments found = clipped_normal(mean, deviation, low, high);
        EXPECT_NEAR(found.mean, expected.mean, 1e-8) << mean << " " << deviation << " " << low << " " << high;
        EXPECT_NEAR(found.variance, expected.variance, 1e-7);
      }
    }
  }
}

TEST(Moments, RectifiedStandardNormalHasTheKnownMoments) {
  const Moments found = clipped_normal(0, 1, 0, kInfinity);
  EXPECT_NEAR(found.mean, 1 / std::sqrt(2 * std::numbers::pi), 1e-15);
  EXPECT_NEAR(found.variance, 0.5 - 1 / (2 * std::numbers::pi), 1e-15);
}

TEST(Moments, AConstantIsClamped) {
  EXPECT_EQ(clipped_normal(-2, 0, 0, 6).mean, 0.0);
  EXPECT_EQ(clipped_normal(7, 0, 0, 6).mean, 6.0);
  EXPECT_EQ(clipped_normal(5, 0, 0, 6).variance, 0.0);
}

TEST(Moments, TheGreatestOfSeveralNormalsIsAsPublished) {
  // Expected values: Teichroew, Annals of Mathematical Statistics 27 (1956), table I.
  EXPECT_NEAR(greatest_normal(1).mean, 0.0, 1e-12);
  EXPECT_NEAR(greatest_normal(1).variance, 1.0, 1e-12);
  EXPECT_NEAR(greatest_normal(2).mean, 1 / std::sqrt(std::numbers::pi), 1e-12);
  EXPECT_NEAR(greatest_normal(2).variance, 1 - 1 / std::numbers::pi, 1e-12);
  EXPECT_NEAR(greatest_normal(4).mean, 1.0293753730, 1e-9);
  EXPECT_NEAR(greatest_normal(9).mean, 1.4850131622, 1e-9);
}

/// Gives a batch norm node gammas and betas that can be recognized.
void mark(Graph& graph, size_t node, float gamma, float beta) {
  graph.value(graph.nodes[node].inputs[1]).constant.fill(gamma);
  graph.value(graph.nodes[node].inputs[2]).constant.fill(beta);
}

TEST(Moments, NamesAreThoseOfTheFoldedGraph) {
  Random rng(1, "names");
  GraphBuilder net(rng, {1, 6, 6, 2});
  net.conv(3, kThree, false).batch_norm().apply(op::Clamp{});  // folded
  const ValueId shared = net.conv(3, kThree, false).at();
  net.batch_norm().add(shared);   // stays: two read the convolution
  net.batch_norm().batch_norm();  // one behind the other, behind an addition
  Graph graph = net.graph();
  mark(graph, 1, -2.0f, 0.5f);
  mark(graph, 4, 3.0f, 1.5f);
  mark(graph, 6, 9.0f, 9.5f);
  mark(graph, 7, 4.0f, 2.5f);
  const ActivationMoments moments = batch_norm_moments(graph);
  run_passes(graph);

  std::vector<std::string> names, expected_names = {"conv2d_1", "batch_norm_2", "batch_norm_3"};
  for (const Node& node : graph.nodes) names.push_back(graph.value(node.output).name);
  ASSERT_EQ(moments.size(), 3u);
  for (const std::string& name : expected_names) {
    EXPECT_EQ(std::count(names.begin(), names.end(), name), 1) << name << "\n" << to_string(graph);
    ASSERT_TRUE(moments.contains(name));
  }
  EXPECT_EQ(moments.at("conv2d_1").deviation, std::vector<double>(3, 2.0))
      << "the sign of gamma does not matter";
  EXPECT_EQ(moments.at("conv2d_1").mean, std::vector<double>(3, 0.5));
  EXPECT_EQ(moments.at("batch_norm_2").mean, std::vector<double>(3, 1.5));
  EXPECT_EQ(moments.at("batch_norm_3").deviation, std::vector<double>(3, 4.0)) << "the last one counts";
}

TEST(Moments, EqualisationRescalesThem) {
  ActivationMoments moments = {{"conv2d_1", {.mean = {2.0, 3.0}, .deviation = {1.0, 8.0}}}};
  rescale(moments, {{.name = "other", .scales = {5.0}}, {.name = "conv2d_1", .scales = {2.0, 0.5}}});
  EXPECT_EQ(moments.at("conv2d_1").mean, (std::vector<double>{1.0, 6.0}));
  EXPECT_EQ(moments.at("conv2d_1").deviation, (std::vector<double>{0.5, 16.0}));
}

}  // namespace
}  // namespace qlimit
