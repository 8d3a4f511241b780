#include "experiments/inference/tensors.h"

#include <gtest/gtest.h>

#include "core/parallel.h"
#include "core/random.h"
#include "tests/experiments/inference/small_models.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qlimit {
namespace {

// Random numbers in [-1,1], on the grid of 1/127 or not.
Examples random_examples(int64_t count, int64_t size) {
  Random random(5, "examples");
  Tensor<float> values({count, size});
  for (float& x : values) x = static_cast<float>(random.uniform(-1, 1));
  return {.name = "random", .values = values};
}

Tensors compute(const QuantizedModel& model, const Examples& examples, bool layers = true) {
  const Graph& graph = model.graph();
  const InputEncoder encoder(examples, graph.value(graph.input).type, model.params(graph.input));
  return compute_tensors(model, encoder, examples.size(), {.layers = layers});
}

template <typename T>
std::vector<T> numbers(const NpyArray& array) {
  const auto& tensor = std::get<Tensor<T>>(array);
  return {tensor.begin(), tensor.end()};
}

TEST(ComputeTensors, GivesEveryValueOfEveryExample) {
  const Examples examples = random_examples(70, 6);  // more than one call takes
  const auto x = numbers<float>(examples.values);
  const Tensors tensors = compute(float_model(picking_graph(6)), examples);
  ASSERT_EQ(tensors.layers.size(), 3u);
  EXPECT_EQ(tensors.layers[0].name, "x");
  EXPECT_EQ(tensors.layers[2].number, 2);
  EXPECT_EQ(shape_of(tensors.layers[0].values), Shape({70, 6}));
  EXPECT_EQ(shape_of(tensors.output), Shape({70, 4}));
  EXPECT_EQ(numbers<float>(tensors.layers[0].values), x);
  const auto clamped = numbers<float>(tensors.layers[1].values), output = numbers<float>(tensors.output);
  for (size_t n = 0; n < 70; ++n) {
    for (size_t i = 0; i < 6; ++i) EXPECT_EQ(clamped[n * 6 + i], std::max(0.0f, x[n * 6 + i]));
    for (size_t k = 0; k < 4; ++k) EXPECT_EQ(output[n * 4 + k], std::max(0.0f, x[n * 6 + k]));
  }
  EXPECT_EQ(numbers<float>(tensors.layers[2].values), output);
}

TEST(ComputeTensors, Int8ModelsGiveTheirBytes) {
  const Examples examples = random_examples(9, 6);
  const QuantizedModel model = int8_model(picking_graph(6));
  const Tensors tensors = compute(model, examples);
  const auto x = numbers<float>(examples.values);
  const auto stored = numbers<int8_t>(tensors.layers[0].values);
  for (size_t i = 0; i < x.size(); ++i)
    EXPECT_EQ(stored[i], quantize(x[i], model.params(model.graph().input)));

  std::vector<int8_t> expected(9 * 4);
  Workspace workspace = model.make_workspace(9);
  model.run_stored(stored.data(), 9, expected.data(), workspace);
  EXPECT_EQ(numbers<int8_t>(tensors.output), expected);
}

TEST(ComputeTensors, OnlyTheOutputIfNoMoreIsWanted) {
  const Tensors tensors = compute(int8_model(picking_graph(6)), random_examples(9, 6), false);
  EXPECT_TRUE(tensors.layers.empty());
  EXPECT_EQ(shape_of(tensors.output), Shape({9, 4}));
}

// A graph for five at a time gives the same as one for a single example, whatever is left over at the end.
TEST(ComputeTensors, GroupsAreFilledUpAndTheSurplusIsDropped) {
  for (const int64_t count : {1, 4, 5, 6, 333}) {
    const Examples examples = random_examples(count, 6);
    const Tensors one = compute(int8_model(picking_graph(6)), examples);
    const Tensors five = compute(int8_model(picking_graph(6, 5)), examples);
    ASSERT_EQ(shape_of(five.output), Shape({count, 4}));
    EXPECT_EQ(numbers<int8_t>(five.output), numbers<int8_t>(one.output));
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(numbers<int8_t>(five.layers[i].values), numbers<int8_t>(one.layers[i].values)) << i;
    }
  }
}

TEST(ComputeTensors, ThreadsChangeNothing) {
  const Examples examples = random_examples(200, 6);
  const QuantizedModel model = int8_model(picking_graph(6));
  const auto all = numbers<int8_t>(compute(model, examples).layers[1].values);
  const int threads = thread_count();
  for (const int count : {1, 3}) {
    set_thread_count(count);
    EXPECT_EQ(numbers<int8_t>(compute(model, examples).layers[1].values), all);
  }
  set_thread_count(threads);
}

TEST(ComputeTensors, WhereTheFirstAxisIsNotTheBatchRunsStandOneBelowTheOther) {
  Graph graph;
  graph.add_input("x", {2, 6});
  graph.add(op::Reshape{{3, 4}}, {graph.input});
  const Examples examples = random_examples(3, 6);  // one and a half runs
  const Tensors tensors = compute(float_model(graph), examples);
  EXPECT_EQ(shape_of(tensors.layers[0].values), Shape({3, 6}));
  ASSERT_EQ(shape_of(tensors.output), Shape({6, 4}));
  const auto x = numbers<float>(examples.values), output = numbers<float>(tensors.output);
  EXPECT_EQ(std::vector<float>(output.begin(), output.begin() + 18), x);
  // The last example fills up the second run.
  EXPECT_EQ(std::vector<float>(output.begin() + 18, output.end()),
            std::vector<float>(x.begin() + 12, x.end()));
}

TEST(ComputeTensors, TellsHowFarItIs) {
  const Examples examples = random_examples(150, 6);
  const QuantizedModel model = int8_model(picking_graph(6, 4));
  const InputEncoder encoder(examples, DataType::kInt8, model.params(model.graph().input));
  std::vector<int64_t> done;
  compute_tensors(model, encoder, 150, {.progress = [&](int64_t n) { done.push_back(n); }});
  ASSERT_FALSE(done.empty());
  EXPECT_TRUE(std::is_sorted(done.begin(), done.end()));
  EXPECT_EQ(done.back(), 150);
}

TEST(ComputeTensors, RefusesWhatMemoryDoesNotHold) {
  Examples examples{.name = "one", .values = Tensor<float>({1, 6})};
  const QuantizedModel model = float_model(picking_graph(6));
  const InputEncoder encoder(examples, DataType::kFloat32, {});
  expect_error([&] { compute_tensors(model, encoder, int64_t{1} << 30); }, ErrorKind::kUsage,
               {"too large", "--limit"});
}

TEST(WriteLayers, NumbersTheFiles) {
  const TemporaryFolder folder;
  const Tensors tensors = compute(int8_model(picking_graph(6)), random_examples(2, 6));
  write_layers(folder / "new/layers", tensors.layers);
  EXPECT_EQ(read_npy(folder / "new/layers/00_x.npy").index(), NpyArray(Tensor<int8_t>()).index());
  EXPECT_EQ(numbers<int8_t>(read_npy(folder / "new/layers/02_dense_1.npy")), numbers<int8_t>(tensors.output));
}

TEST(LargestOfRows, TakesTheFirstOfEquals) {
  EXPECT_EQ(largest_of_rows(Tensor<int8_t>({3, 3}, {-128, 127, 127, 5, 5, 5, -3, -2, -1})),
            (std::vector<int64_t>{1, 0, 2}));
  EXPECT_EQ(largest_of_rows(Tensor<float>({1, 1, 1, 2}, {0.25f, 0.5f})), (std::vector<int64_t>{1}));
}

}  // namespace
}  // namespace qlimit
