#include "experiments/inference/timing.h"

#include <gtest/gtest.h>

#include <cstring>

#include "tests/experiments/inference/small_models.h"

namespace qlimit {
namespace {

// No test of how long anything takes: only that everything is there.
void expect_complete(const Timing& timing, size_t nodes) {
  EXPECT_EQ(timing.calls, 3);
  EXPECT_GT(timing.latency_us.median, 0);
  EXPECT_LE(timing.latency_us.low, timing.latency_us.median);
  EXPECT_LE(timing.latency_us.median, timing.latency_us.high);
  EXPECT_GT(timing.throughput, 0);
  EXPECT_EQ(timing.nodes.size(), nodes);
  EXPECT_GT(timing.peaks.real, 1e6);
  EXPECT_GT(timing.peaks.int8, 1e6);
  for (const NodeTime& node : timing.nodes) EXPECT_GE(node.us, 0);
}

TEST(MeasureTimes, TimesTheWholeAndTheNodes) {
  for (const QuantizedModel& model : {int8_model(picking_graph(6)), float_model(picking_graph(6, 3))})
    expect_complete(measure_times(model, random_inputs(model.graph()), 3), 2);
}

TEST(StoredInputs, AreThoseOfTheFirstExamples) {
  Examples examples{.name = "counted", .values = Tensor<float>({7, 6})};
  auto& values = std::get<Tensor<float>>(examples.values);
  for (int64_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  const Graph graph = picking_graph(6, 3);
  const StoredInputs inputs = stored_inputs(graph, InputEncoder(examples, DataType::kFloat32, {}), 7);
  EXPECT_EQ(inputs.runs, 3);
  ASSERT_EQ(inputs.bytes.size(), 3u * 3 * 6 * 4);
  EXPECT_EQ(std::memcmp(inputs.bytes.data(), values.data(), 7 * 6 * 4), 0);
  EXPECT_EQ(std::memcmp(inputs.bytes.data() + 8 * 6 * 4, values.data() + 36, 6 * 4), 0);
}

TEST(StoredInputs, AreAFewOnly) {
  Examples examples{.name = "many", .values = Tensor<float>({1000, 6})};
  EXPECT_EQ(stored_inputs(picking_graph(6), InputEncoder(examples, DataType::kFloat32, {}), 1000).runs, 64);
}

}  // namespace
}  // namespace qlimit
