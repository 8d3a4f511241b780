#include "experiments/charts/experiment_result.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "core/error.h"

namespace qlimit {
namespace {

const std::string kGood =
    R"({"experiment": "micro_cifar", "dataset": "cifar10", "seed": 42, "parameters": 10466,
  "multiply_adds": 820464,
  "fp32": {"accuracy": 0.738, "standard_error": 0.0044, "latency_us": {"median": 30.5, "low": 29.0, "high": 33.25},
           "throughput": 33000.0, "model_bytes": 41864},
  "int8": {"accuracy": 0.737, "standard_error": 0.0044, "latency_us": {"median": 18, "low": 18, "high": 18},
           "throughput": 55000.0, "model_bytes": 14100},
  "threads": 2, "machine": {"processor": "Some CPU", "instruction_set": "avx2"}, "history": [1, 2, 3]})";

std::string replaced(const std::string& from, const std::string& to) {
  std::string text = kGood;
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

// The complaint about a text: one line that names the file, holds `part` and says what to do.
void expect_refused(const std::string& text, const std::string& part) {
  try {
    parse_experiment_result(text, "some/result.json");
    ADD_FAILURE() << "accepted: " << part;
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_EQ(error.kind(), ErrorKind::kData);
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    EXPECT_NE(message.find("some/result.json"), std::string::npos) << message;
    EXPECT_NE(message.find(part), std::string::npos) << message;
    EXPECT_NE(message.find("run the experiment again"), std::string::npos) << message;
  }
}

TEST(ExperimentResultReader, ReadsEveryFigure) {
  const ExperimentResult result = parse_experiment_result(kGood, "x");
  EXPECT_EQ(result.experiment, "micro_cifar");
  EXPECT_EQ(result.dataset, "cifar10");
  EXPECT_EQ(result.parameters, 10466);
  EXPECT_EQ(result.fp32.accuracy, 0.738);
  EXPECT_EQ(result.fp32.standard_error, 0.0044);
  EXPECT_EQ(result.fp32.latency_us.low, 29.0);
  EXPECT_EQ(result.fp32.latency_us.median, 30.5);
  EXPECT_EQ(result.fp32.latency_us.high, 33.25);
  EXPECT_EQ(result.fp32.model_bytes, 41864);
  EXPECT_EQ(result.int8.accuracy, 0.737);
  EXPECT_EQ(result.int8.latency_us.median, 18);
  EXPECT_EQ(result.int8.model_bytes, 14100);
  EXPECT_EQ(result.processor, "Some CPU");
  EXPECT_EQ(result.instruction_set, "avx2");
  EXPECT_EQ(result.threads, 2);
  EXPECT_EQ(parse_experiment_result(replaced("\"machine\"", "\"other\""), "x").processor, "");
  EXPECT_EQ(parse_experiment_result(replaced("Some CPU", "unknown"), "x").processor, "");
  EXPECT_EQ(parse_experiment_result(replaced("\"instruction_set\"", "\"other\""), "x").instruction_set, "");
  EXPECT_EQ(parse_experiment_result(replaced("\"threads\"", "\"other\""), "x").threads, 0);
}

TEST(ExperimentResultReader, RefusesWhatIsNoJsonObject) {
  expect_refused("", "not JSON");
  expect_refused("{\"experiment\": ", "not JSON");
  expect_refused(kGood.substr(0, kGood.size() / 2), "not JSON");
  expect_refused("\xFF\xFE{}", "not JSON");
  expect_refused(replaced("0.738", "1e999"), "a number out of range");
  expect_refused("[1, 2]", "an object");
  expect_refused("null", "an object");
  expect_refused(std::string(100000, '['), "not JSON");
}

TEST(ExperimentResultReader, NamesTheKeyThatIsMissingOrOfTheWrongType) {
  expect_refused(replaced("\"experiment\"", "\"exp\""), ", experiment");
  expect_refused(replaced("\"fp32\"", "\"fp64\""), ", fp32");
  expect_refused(replaced("\"int8\": {", "\"int8\": 5, \"x\": {"), ", int8");
  expect_refused(replaced("\"median\": 30.5", "\"med\": 30.5"), ", fp32, latency_us, median");
  expect_refused(replaced("0.738", "\"0.738\""), ", fp32, accuracy");
  expect_refused(replaced("0.738", "null"), ", fp32, accuracy");
  expect_refused(replaced("\"cifar10\"", "10"), ", dataset");
}

TEST(ExperimentResultReader, RefusesFiguresOutOfTheirRange) {
  expect_refused(replaced("0.738", "73.8"), ", fp32, accuracy");  // per cent instead of a fraction
  expect_refused(replaced("0.738", "-0.1"), ", fp32, accuracy");
  expect_refused(replaced("30.5", "0"), ", fp32, latency_us, median");
  expect_refused(replaced("\"low\": 29.0", "\"low\": 31.0"),
                 ", fp32, latency_us, median");  // low above the median
  expect_refused(replaced("33.25", "12"), ", fp32, latency_us, high");
  expect_refused(replaced("41864", "0"), ", fp32, model_bytes");
  expect_refused(replaced("41864", "41864.5"), ", fp32, model_bytes");
  expect_refused(replaced("10466", "-1"), ", parameters");
  expect_refused(replaced("\"micro_cifar\"", "\"\""), ", experiment");
  expect_refused(replaced("\"micro_cifar\"", "\"two\\nlines\""), ", experiment");
  expect_refused(replaced("\"micro_cifar\"", concat('"', std::string(1000, 'x'), '"')), ", experiment");
}

TEST(ExperimentResultReader, SaysHowToMakeAMissingFile) {
  const std::filesystem::path path =
      std::filesystem::path(testing::TempDir()) / "qlimit_none/micro_cifar/result.json";
  try {
    read_experiment_result(path);
    ADD_FAILURE() << "read";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kIo);
    EXPECT_NE(std::string(error.what()).find("./experiments/run micro_cifar"), std::string::npos)
        << error.what();
  }
}

TEST(FigureTexts, AreShortAndCarryTheirUnit) {
  EXPECT_EQ(latency_text(9.1), "9.1 µs");
  EXPECT_EQ(latency_text(9.96), "10 µs");
  EXPECT_EQ(latency_text(120.4), "120 µs");
  EXPECT_EQ(latency_text(9999), "9999 µs");
  EXPECT_EQ(latency_text(12345), "12 ms");
  EXPECT_EQ(bytes_text(980), "980 B");
  EXPECT_EQ(bytes_text(9849), "9.8 kB");
  EXPECT_EQ(bytes_text(41864), "42 kB");
  EXPECT_EQ(bytes_text(999'700), "1.0 MB");
  EXPECT_EQ(bytes_text(1'415'000), "1.4 MB");
  EXPECT_EQ(dataset_title("cifar10"), "CIFAR-10");
  EXPECT_EQ(dataset_title("mnist_tiny"), "MNIST, tiny");
  EXPECT_EQ(dataset_title("own"), "own");
}

}  // namespace
}  // namespace qlimit
