// Graph -> file -> graph: the same results, and the same file when it is written again.
#include <gtest/gtest.h>

#include <cstring>

#include "quant/calibrate.h"
#include "quant/passes.h"
#include "quant/quantized_model.h"
#include "quant/tflite/read.h"
#include "quant/tflite/write.h"
#include "tests/quant/random_graph.h"
#include "tests/quant/tflite/file_builder.h"

namespace qlimit {
namespace {

/// What two graphs make of the same three runs of random bytes or floats, compared byte by byte.
void expect_equal_results(const QuantizedGraph& expected, const QuantizedGraph& found, Random& rng) {
  constexpr int64_t kRuns = 3;
  const QuantizedModel one(expected), other(found);
  const Value& input = one.graph().value(one.graph().input);
  const Value& output = one.graph().value(one.graph().output);
  ASSERT_EQ(input.shape, other.graph().value(other.graph().input).shape);
  ASSERT_EQ(output.shape, other.graph().value(other.graph().output).shape);
  ASSERT_EQ(input.type, other.graph().value(other.graph().input).type);
  ASSERT_EQ(output.type, other.graph().value(other.graph().output).type);

  const bool is_int8 = input.type == DataType::kInt8;
  std::vector<float> floats(static_cast<size_t>(kRuns * input.shape.size()));
  std::vector<int8_t> integers(floats.size());
  for (size_t i = 0; i < floats.size(); ++i) {
    floats[i] = static_cast<float>(rng.normal());
    integers[i] = static_cast<int8_t>(static_cast<int>(rng.below(256)) - 128);
  }
  const void* const images = is_int8 ? static_cast<const void*>(integers.data()) : floats.data();
  const auto bytes = static_cast<size_t>(kRuns * output.shape.size() * element_bytes(output.type));
  std::vector<std::byte> first(bytes), second(bytes);
  Workspace workspace = one.make_workspace(), other_workspace = other.make_workspace();
  one.run_stored(images, kRuns, first.data(), workspace);
  other.run_stored(images, kRuns, second.data(), other_workspace);
  EXPECT_EQ(std::memcmp(first.data(), second.data(), bytes), 0);
}

void expect_round_trip(const QuantizedGraph& graph, Random& rng) {
  const TfliteFile file = write_tflite(graph);
  const QuantizedGraph again = read_tflite(file.bytes, "round_trip.tflite");
  for (const QuantizedFilter& filter : again.filters) EXPECT_TRUE(filter.bits == 4 || filter.bits == 8);
  EXPECT_TRUE(write_tflite(again).bytes == file.bytes);
  expect_equal_results(graph, again, rng);
}

/// A random network, folded, of operations that have a name in the file.
Graph named_graph(Random& rng) {
  Graph graph = random_graph(rng);
  run_passes(graph);
  for (Node& node : graph.nodes) {
    if (std::holds_alternative<op::Pointwise>(node.op)) node.op = op::Logistic{};
  }
  return graph;
}

TEST(TfliteRoundTrip, EveryOperation) {
  Random rng(1, "round trip");
  expect_round_trip(read_tflite(build(every_operation()), "every.tflite"), rng);
}

TEST(TfliteRoundTrip, RandomFloatGraphs) {
  const Random seed(2, "round trip");
  for (uint64_t i = 0; i < 100; ++i) {
    SCOPED_TRACE(i);
    Random rng = seed.split(i);
    QuantizedGraph floats{.graph = named_graph(rng), .params = {}, .filters = {}};
    floats.params.resize(floats.graph.values.size());
    floats.filters.resize(floats.graph.nodes.size());
    expect_round_trip(floats, rng);
  }
}

TEST(TfliteRoundTrip, RandomInt8Graphs) {
  const Random seed(3, "round trip");
  for (uint64_t i = 0; i < 100; ++i) {
    SCOPED_TRACE(i);
    Random rng = seed.split(i);
    const Graph graph = named_graph(rng);
    const Tensor<float> images = random_tensor(with_batch(graph.value(graph.input).shape, 4), rng);
    const Ranges ranges = calibrate(FloatExecutor(graph), images);
    const QuantizeOptions options = {
        .weights = rng.below(2) ? Granularity::kPerChannel : Granularity::kPerTensor,
        .dense_weights = rng.below(2) ? Granularity::kPerChannel : Granularity::kPerTensor,
        .weight_bits = rng.below(2) ? 4 : 2 + static_cast<int>(rng.below(7))};
    expect_round_trip(quantize(graph, ranges, options), rng);
  }
}

}  // namespace
}  // namespace qlimit
