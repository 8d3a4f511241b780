#include "experiments/report.h"

#include <gtest/gtest.h>

#include "core/file.h"
#include "experiments/charts/experiment_result.h"
#include "tests/support/temporary_folder.h"

namespace qlimit {
namespace {

// Of 1,000 test images fp32 recognizes the first `fp32`; int8 loses `lost` of them and wins `won` others.
RunResult made_up_run(uint64_t seed, size_t fp32, size_t lost, size_t won) {
  const auto evaluation = [](std::vector<uint8_t> outcomes) {
    Evaluation e;
    const double right = static_cast<double>(std::count(outcomes.begin(), outcomes.end(), 1));
    e.accuracy = right / static_cast<double>(outcomes.size());
    e.standard_error = proportion_standard_error(e.accuracy, static_cast<int64_t>(outcomes.size()));
    e.outcomes = std::move(outcomes);
    return e;
  };
  std::vector<uint8_t> first(1000), second(1000);
  std::fill_n(first.begin(), fp32, 1);
  std::fill(second.begin() + static_cast<std::ptrdiff_t>(lost),
            second.begin() + static_cast<std::ptrdiff_t>(fp32 + won), 1);
  RunResult run{.seed = seed, .parameters = 10474, .multiply_adds = 820464};
  run.training_graph = {.evaluation = evaluation(first), .latency_us = {240, 230, 300}, .throughput = 9000};
  run.fp32 = {.evaluation = evaluation(first),
              .latency_us = {120, 110, 150},
              .throughput = 20000,
              .file = {.weights = 38000, .biases = 400, .quantization = 0, .structure = 1600}};
  run.int8 = {.evaluation = evaluation(second),
              .latency_us = {60, 55, 75},
              .throughput = 50000,
              .file = {.weights = 7500, .biases = 400, .quantization = 1100, .structure = 1000}};
  run.noise = {{.name = "conv2d_1", .operation = "conv2d", .shape = {}, .sqnr_db = 39.25}};
  run.cost = {.loader_share = 0.004, .peak_tensor_bytes = 12 << 20, .peak_resident_bytes = 100 << 20};
  run.history = {
      {.train_loss = 1.5, .train_accuracy = 0.5, .evaluation_accuracy = 0.6, .learning_rate = 0.01}};
  return run;
}

ExperimentContext context() {
  return {.experiment = "micro_cifar",
          .dataset = "cifar10",
          .settings = {{"epochs", "40"}},
          .machine = {.processor = "a processor", .instruction_set = "avx2", .git_revision = "abc"},
          .threads = 2,
          .throughput_batch = 128};
}

void expect_contains(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts)
    EXPECT_NE(text.find(part), std::string::npos) << part << " in:\n" << text;
}

TEST(Report, ComparisonHasFiguresErrorsAndRatios) {
  // 738 of 1,000: error 1.39 points. 7 lost, 1 won: -0.6 points, error sqrt(8 - 36/1000)/1000 = 0.28 points.
  expect_contains(
      comparison_table(made_up_run(42, 738, 7, 1), context()),
      {"10,474", "73.80 % +- 1.39", "73.20 % +- 1.40", "-0.60 points +- 0.28", "120 us (110 ... 150)",
       "60.0 us (55.0 ... 75.0)", "2.00 x the speed", "batch 128", "20,000 images/s", "2.50 x the speed",
       "40,000", "0.25 x the size", "fp32 alone recognizes 7 and int8 alone 1", "p = 0.039"});
}

TEST(Report, TheCostOfTrainingIsOneLine) {
  const std::string text = cost_text(made_up_run(42, 738, 7, 1).cost);
  expect_contains(text, {"loader 0.4 %", "12.0 MiB in tensors", "100 MiB resident"});
  EXPECT_EQ(text.find('\n'), text.size() - 1);
}

TEST(Report, LatencyTableHasThreeRows) {
  const std::string text = latency_table(made_up_run(42, 738, 7, 1));
  expect_contains(text, {"training graph", "1.00 x", "compiled fp32", "2.00 x", "int8", "4.00 x"});
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4);
}

TEST(Report, LedgerTableAddsUp) {
  expect_contains(ledger_table(made_up_run(42, 738, 7, 1)),
                  {"fp32", "int8", "weights", "38,000", "7,500", "biases", "400", "scales and zero points",
                   "1,100", "structure", "1,600", "1,000", "together", "40,000", "10,000"});
}

TEST(Report, AModelWithoutAFileHasNoSize) {
  RunResult run = made_up_run(42, 738, 7, 1);
  run.int8.file = {};
  EXPECT_EQ(ledger_table(run), "");
  const std::string text = comparison_table(run, context());
  expect_contains(text, {"40,000", "no .tflite form"});
  EXPECT_EQ(text.find("the size"), std::string::npos);
  EXPECT_FALSE(to_json(run, context())["int8"].contains("model_bytes"));
}

TEST(Report, NoiseTableNamesLayers) {
  expect_contains(noise_table(made_up_run(42, 738, 7, 1)), {"conv2d_1", "39.2 dB"});
}

TEST(Report, SeedsTableHasMeanDeviationAndInterval) {
  const std::vector<RunResult> runs = {made_up_run(42, 738, 2, 0), made_up_run(43, 741, 0, 0),
                                       made_up_run(44, 735, 1, 0)};
  // fp32: mean 73.8, deviation 0.3, 73.8 -+ 4.303 * 0.3 / sqrt(3). Difference: -0.2, 0, -0.1: mean -0.1,
  // deviation 0.1.
  expect_contains(seeds_table(runs), {"42", "73.80 %", "73.60 %", "-0.20", "p", "mean", "-0.10", "0.30",
                                      "0.10", "73.05 % ... 74.55 %", "-0.35 ... +0.15"});
}

TEST(Report, AccuracyBelowTheRequiredOrPerfectIsRefused) {
  EXPECT_EQ(accuracy_objection(72, 72), "");
  EXPECT_EQ(accuracy_objection(99.99, 72), "");
  expect_contains(accuracy_objection(71.99, 72), {"71.99 %", "72 % required"});
  expect_contains(accuracy_objection(100, 72), {"too good"});
  expect_contains(accuracy_objection(100, 100), {"too good"});
}

TEST(Report, JsonIsWhatParetoReads) {
  TemporaryFolder folder;
  write_file(folder / "result.json", to_json(made_up_run(42, 738, 7, 1), context()).dump(2));
  const ExperimentResult read = read_experiment_result(folder / "result.json");
  EXPECT_EQ(read.experiment, "micro_cifar");
  EXPECT_EQ(read.parameters, 10474);
  EXPECT_DOUBLE_EQ(read.fp32.accuracy, 0.738);
  EXPECT_DOUBLE_EQ(read.int8.latency_us.median, 60);
  EXPECT_EQ(read.processor, "a processor");
  EXPECT_EQ(read.instruction_set, "avx2");
  EXPECT_EQ(read.threads, 2);
}

TEST(Report, JsonHoldsWhatTheTablesSay) {
  const auto json = to_json(made_up_run(42, 738, 7, 1), context());
  EXPECT_EQ(json["seed"], 42);
  EXPECT_EQ(json["multiply_adds"], 820464);
  EXPECT_EQ(json["git_revision"], "abc");
  EXPECT_EQ(json["machine"]["processor"], "a processor");
  EXPECT_EQ(json["settings"]["epochs"], "40");
  EXPECT_EQ(json["int8"]["model_bytes"], 10000);
  EXPECT_EQ(json["int8"]["ledger"]["quantization"], 1100);
  EXPECT_FALSE(json["training_graph"].contains("model_bytes"));
  EXPECT_EQ(json["training_graph"]["latency_us"]["high"], 300);
  EXPECT_EQ(json["mcnemar"]["only_fp32"], 7);
  EXPECT_NEAR(json["mcnemar"]["mid_p"].get<double>(), 0.0390625, 1e-12);
  EXPECT_EQ(json["signal_to_quantization_noise"][0]["decibels"], 39.25);
  EXPECT_EQ(json["training"]["epochs"][0]["evaluation_accuracy"], 0.6);
  EXPECT_EQ(json["training"]["loader_share"], 0.004);
  EXPECT_EQ(json["training"]["peak_tensor_bytes"], 12'582'912);
}

TEST(Report, JsonOfSeveralSeedsAddsTheirStatistics) {
  const std::vector<RunResult> runs = {made_up_run(42, 738, 2, 0), made_up_run(43, 741, 0, 0),
                                       made_up_run(44, 735, 1, 0)};
  const auto json = to_json(runs, context());
  EXPECT_EQ(json["seed"], 42);
  EXPECT_EQ(json["seeds"]["runs"].size(), 3u);
  EXPECT_EQ(json["seeds"]["runs"][2]["seed"], 44);
  EXPECT_NEAR(json["seeds"]["fp32"]["mean"].get<double>(), 0.738, 1e-12);
  EXPECT_NEAR(json["seeds"]["difference"]["mean"].get<double>(), -0.001, 1e-12);
  EXPECT_NEAR(json["seeds"]["fp32"]["interval_95"]["low"].get<double>(), 0.73055, 1e-4);
}

}  // namespace
}  // namespace qlimit
