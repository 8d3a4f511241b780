#include "experiments/inference/report.h"

#include <gtest/gtest.h>

#include "tests/experiments/inference/small_models.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

void expect_contains(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts)
    EXPECT_NE(text.find(part), std::string::npos) << part << " in:\n" << text;
}

InferenceReport made_up_report() {
  return {.model = "some.tflite",
          .file_bytes = 12345,
          .data = "tiny, test images",
          .normalization = "x/255",
          .examples = 1000,
          .accuracy = Accuracy{.right = 915, .examples = 1000},
          .timing = Timing{.calls = 1000,
                           .latency_us = {25, 24, 30},
                           .throughput_runs = 128,
                           .throughput = 40000,
                           .nodes = {{.us = 2}, {.us = 6}},
                           .peaks = {.real = 8e6, .int8 = 16e6}},
          .comparison = ComparisonResult{{{.name = "00_x", .elements = 6},
                                          {.name = "01_relu_1",
                                           .elements = 6,
                                           .differing = 2,
                                           .differing_bytes = 2,
                                           .largest = 1,
                                           .first = "[0,3]"},
                                          {.name = "02_dense_1", .problem = "not there"}}},
          .machine = {.processor = "a processor", .instruction_set = "avx2", .git_revision = "abc"},
          .threads = 2};
}

TEST(InferenceReport, SummaryHasShapesScalesBytesAndCosts) {
  const QuantizedModel model = int8_model(picking_graph(6));
  // 24 weights of one byte, and 24 multiply-adds.
  expect_contains(summary_text(made_up_report(), model),
                  {"some.tflite: 12,345 bytes", "24 parameters", "rounds like tflite", "fast kernels", "avx2",
                   "x ", "input", "[1,6]", "dense_1", "relu", "[1,4]", "int8", "0.00784314", "total", "24"});
  const std::string floats = summary_text(made_up_report(), float_model(picking_graph(6, 3)));
  expect_contains(floats, {"float32", "[3,4]", "96", "72"});
  EXPECT_EQ(floats.find("0.0078"), std::string::npos);
}

TEST(InferenceReport, NamesFromAFileCannotHarmATerminal) {
  Graph graph = picking_graph(6);
  graph.value(graph.output).name = "\x1b[2Jvery/long/name/of/a/layer/that/goes/on/and/on;fused";
  const std::string text = summary_text(made_up_report(), int8_model(graph));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find("fused"), std::string::npos);
  expect_contains(text, {"goes/on/and/on"});
}

TEST(InferenceReport, AccuracyHasItsError) {
  // sqrt(0.915 * 0.085 / 1000) = 0.00882
  expect_contains(accuracy_text({.right = 915, .examples = 1000}), {"91.50 % +- 0.88", "915 of 1,000"});
}

TEST(InferenceReport, CountsRightAnswers) {
  const Tensor<int8_t> output({3, 3}, {-128, 127, 127, 5, 5, 5, -3, -2, -1});
  const Accuracy accuracy = count_right(output, {1, 1, 2});
  EXPECT_EQ(accuracy.right, 2);
  EXPECT_EQ(accuracy.examples, 3);
  expect_error([&] { count_right(output, {1, 1}); }, ErrorKind::kUsage, {"found 3"});
}

TEST(InferenceReport, AnswersAreRealNumbersLargestFirst) {
  const QuantizedModel model = int8_model(picking_graph(6));
  const AffineParams grid = model.params(model.graph().output);
  Tensor<int8_t> output({1, 4});
  const float values[] = {0.1f, 0.9f, 0.5f, -0.5f};
  for (int i = 0; i < 4; ++i) output[i] = quantize(values[i], grid);
  const std::string text = answers_text(output, model, {"0", "frog", "cat", "dog"});
  expect_contains(text, {"1 frog: 0.9", "2 cat: 0.5", "0: 0.1"});
  EXPECT_EQ(text.find("dog"), std::string::npos);
  EXPECT_LT(text.find("frog"), text.find("cat"));
}

TEST(InferenceReport, TimesHaveSharesAndSpeeds) {
  // 24 multiply-adds in 6 us: 48 operations, 0.008 Gop/s.
  expect_contains(timing_text(*made_up_report().timing, int8_model(picking_graph(6))),
                  {"25.0 us (24.0 ... 30.0)", "40,000 examples/s", "128 runs", "1,000 runs", "25.0 %",
                   "75.0 %", "100.0 %", "8.00", "0.0"});
}

TEST(InferenceReport, SharesAreThoseOfThePeakOfTheOperationsType) {
  // 24 multiply-adds in 6 us are 4 million a second; floats have half the peak here.
  expect_contains(timing_text(*made_up_report().timing, int8_model(picking_graph(6))), {"of peak", "25 %"});
  expect_contains(timing_text(*made_up_report().timing, float_model(picking_graph(6))), {"50 %"});
  EXPECT_EQ(share_of_peak(0, 1, 1e6), "");
  EXPECT_EQ(share_of_peak(24, 6, 0), "");
  EXPECT_EQ(share_of_peak(24, 6, 4e6), "100 %");
}

TEST(InferenceReport, OperationsComputedTogetherHaveOneTime) {
  InferenceReport report = made_up_report();
  report.timing->nodes = {{.with_next = true}, {.us = 4}};
  const QuantizedModel model = int8_model(picking_graph(6));
  const std::string text = timing_text(*report.timing, model);
  expect_contains(text, {"with 2", "4.00  100.0 %"});
  const auto json = to_json(report, model);
  EXPECT_EQ(json["layers"][1]["computed_with_next"], true);
  EXPECT_FALSE(json["layers"][1].contains("microseconds"));
  EXPECT_EQ(json["layers"][2]["microseconds"], 4);
}

TEST(InferenceReport, JsonSaysTheSame) {
  const auto json = to_json(made_up_report(), int8_model(picking_graph(6)));
  EXPECT_EQ(json["model"], "some.tflite");
  EXPECT_EQ(json["file_bytes"], 12345);
  EXPECT_EQ(json["multiply_adds"], 24);
  EXPECT_EQ(json["runtime"], "tflite");
  EXPECT_EQ(json["layers"].size(), 3u);
  EXPECT_EQ(json["layers"][0]["value"], "x");
  EXPECT_EQ(json["layers"][2]["multiply_adds"], 24);
  EXPECT_EQ(json["layers"][2]["microseconds"], 6);
  EXPECT_EQ(json["layers"][2]["shape"], (std::vector<int64_t>{1, 4}));
  EXPECT_EQ(json["accuracy"], 0.915);
  EXPECT_EQ(json["latency_us"]["median"], 25);
  EXPECT_DOUBLE_EQ(json["peak_gigaoperations"]["int8"].get<double>(), 0.032);
  EXPECT_EQ(json["comparison"]["equal"], false);
  EXPECT_EQ(json["comparison"]["first_difference"], "01_relu_1");
  EXPECT_EQ(json["comparison"]["tensors"][1]["differing"], 2);
  EXPECT_EQ(json["comparison"]["tensors"][2]["problem"], "not there");
  EXPECT_EQ(json["git_revision"], "abc");
  const auto bare = to_json({.model = "m"}, float_model(picking_graph(6)));
  for (const char* absent : {"accuracy", "latency_us", "comparison", "data"})
    EXPECT_FALSE(bare.contains(absent)) << absent;
}

}  // namespace
}  // namespace qlimit
