#include "experiments/limit/record.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

const StudyHeader kHeader = {.preset = "full", .data = "cifar10", .test_images = 10000};

const char* const kHeaderLine =
    R"({"study":"limit","version":1,"preset":"full","data":"cifar10","test_images":10000})";
const char* const kTrain =
    R"({"job":"train/plain/w8/s1","parameters":10474,"multiply_adds":820464,"epochs":12,"fp32":7412,"seconds":55.1,"instruction_set":"avx2"})";
const char* const kQuantize =
    R"({"job":"quantize/plain/w8/s1/min_max","correct":{"8/8":7409,"4/8":6120,"4/4":3321},"bytes":{"8":10712,"4":5692}})";
const char* const kOtherMethod = R"({"job":"quantize/plain/w8/s1/mse","correct":{"4/8":7001}})";
const char* const kLayers =
    R"({"job":"layers/plain/w8/s1","bits":4,"int8":7409,"correct":{"conv2d_1":7010,"add_1":7398},"sqnr_db":{"conv2d_1":19.31,"add_1":-3.2}})";
const char* const kCalibration =
    R"({"job":"calibration/plain/w8/s1/mse","correct":{"10":{"8/8":7288,"8/4":6012},"1000":{"8/8":7410}}})";

Record parse(const std::string& line) { return parse_record(line, kHeader, "here"); }

void expect_refused(const std::string& line, const std::vector<std::string>& parts) {
  expect_error([&] { parse(line); }, ErrorKind::kData, parts);
}

// The line with the first `from` turned into `to`.
std::string changed(std::string line, const std::string& from, const std::string& to) {
  return line.replace(line.find(from), from.size(), to);
}

TEST(JobName, RoundTrip) {
  for (const char* text : {"train/plain/w8/s1", "quantize/separable/w118/s42/min_max", "layers/plain/w2/s0",
                           "calibration/plain/w48/s5/mse"})
    EXPECT_EQ(to_string(parse_job_name(text)), text);
  const JobName job = parse_job_name("quantize/separable/w16/s3/min_max");
  EXPECT_EQ(job.kind, JobKind::kQuantize);
  EXPECT_EQ(job.net, (NetKey{.shape = "separable", .width = 16, .seed = 3}));
  EXPECT_EQ(job.method, "min_max");
  EXPECT_EQ(file_stem(job), "quantize-separable-w16-s3-min_max");
}

TEST(JobName, WhatIsNoneIsRefused) {
  for (const char* text :
       {"", "train", "train/plain/w8", "train/plain/w8/s1/min_max", "quantize/plain/w8/s1", "fly/plain/w8/s1",
        "train/plain/8/s1", "train/plain/w0/s1", "train/plain/w08/s1", "train/plain/w8/s-1",
        "train/Plain/w8/s1", "train/../w8/s1", "quantize/plain/w8/s1/a b", "quantize/plain/w8/s1/",
        "train/plain/w99999999999999999999/s1", "train/plain/w8/s1 "})
    expect_error([&] { parse_job_name(text); }, ErrorKind::kUsage, {"name of a job"});
}

TEST(LimitRecord, LinesReadBackAsTheyWereWritten) {
  for (const char* line : {kTrain, kQuantize, kOtherMethod, kLayers, kCalibration})
    EXPECT_EQ(to_line(parse(line)), line);
  EXPECT_EQ(to_line(parse_header(kHeaderLine, "here")), kHeaderLine);
}

TEST(LimitRecord, Fields) {
  EXPECT_EQ(parse_header(kHeaderLine, "here"), kHeader);
  const auto train = std::get<TrainResult>(parse(kTrain).result);
  EXPECT_EQ(train.parameters, 10474);
  EXPECT_EQ(train.multiply_adds, 820464);
  EXPECT_EQ(train.epochs, 12);
  EXPECT_EQ(train.fp32, 7412);
  EXPECT_DOUBLE_EQ(train.seconds, 55.1);
  EXPECT_EQ(train.instruction_set, "avx2");

  const auto quantized = std::get<QuantizeResult>(parse(kQuantize).result);
  ASSERT_EQ(quantized.correct.size(), 3u);
  EXPECT_EQ(quantized.correct.begin()->second, 7409);  // most bits first
  EXPECT_EQ(quantized.correct.at({.weights = 4, .activations = 8}), 6120);
  EXPECT_EQ(quantized.bytes.at(4), 5692);

  const auto layers = std::get<LayersResult>(parse(kLayers).result);
  EXPECT_EQ(layers.bits, 4);
  EXPECT_EQ(layers.int8, 7409);
  ASSERT_EQ(layers.layers.size(), 2u);
  EXPECT_EQ(layers.layers[1].name, "add_1");  // in the order of the line
  EXPECT_EQ(layers.layers[1].correct, 7398);
  EXPECT_DOUBLE_EQ(layers.layers[1].sqnr_db, -3.2);

  const auto calibration = std::get<CalibrationResult>(parse(kCalibration).result);
  EXPECT_EQ(calibration.correct.at(10).at({.weights = 8, .activations = 4}), 6012);
  EXPECT_EQ(calibration.correct.at(1000).size(), 1u);
}

TEST(LimitRecord, NoNoiseIsWrittenAsTheLimit) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const LayersResult layers = {.bits = 4,
                               .int8 = 0,
                               .layers = {{.name = "a", .correct = 0, .sqnr_db = kInfinity},
                                          {.name = "b", .correct = 0, .sqnr_db = -kInfinity}}};
  const Record record = {.job = parse_job_name("layers/plain/w8/s1"), .result = layers};
  const Record read = parse(to_line(record));
  EXPECT_EQ(std::get<LayersResult>(read.result).layers[0].sqnr_db, kMostDecibels);
  EXPECT_EQ(std::get<LayersResult>(read.result).layers[1].sqnr_db, -kMostDecibels);
}

TEST(LimitRecord, MistakesAreNamed) {
  expect_refused("", {"not JSON", "here"});
  expect_refused("[1]", {"here", "an object"});
  expect_refused(std::string(kTrain) + "}", {"not JSON"});
  expect_refused(changed(kTrain, "\"fp32\":7412", "\"fp32\":10001"), {"here", "fp32", "0 to 10000", "10001"});
  expect_refused(changed(kTrain, "\"fp32\":7412,", ""), {"fp32", "nothing"});
  expect_refused(changed(kTrain, "7412", "7412.5"), {"fp32", "a whole number", "7412.5"});
  expect_refused(changed(kTrain, "7412", "-1"), {"fp32", "0 to 10000"});
  expect_refused(changed(kTrain, "7412", "\"7412\""), {"fp32", "a whole number"});
  expect_refused(changed(kTrain, "55.1", "1e999"), {"out of range"});
  expect_refused(changed(kTrain, "\"fp32\"", "\"speed\":1,\"fp32\""), {"speed", "no such key"});
  expect_refused(changed(kTrain, "train/plain", "fly/plain"), {"job", "fly/plain/w8/s1"});
  expect_refused(changed(kTrain, "train/plain", "layers/plain"), {"bits"});
  expect_refused(changed(kQuantize, "\"4/8\"", "\"9/8\""), {"correct", "9/8", "two widths"});
  expect_refused(changed(kQuantize, "\"4/8\"", "\"4\""), {"correct", "two widths"});
  expect_refused(changed(kQuantize, "\"4/8\"", "\"4/8/2\""), {"correct", "two widths"});
  expect_refused(changed(kQuantize, "\"4/8\"", "\"04/8\""), {"correct", "two widths"});
  expect_refused(changed(kQuantize, "\"8\":", "\"1\":"), {"bytes", "a width"});
  expect_refused(changed(kQuantize, "10712", "0"), {"bytes", "8"});
  expect_refused(changed(kLayers, "\"sqnr_db\":{\"conv2d_1\"", "\"sqnr_db\":{\"conv2d_7\""), {"sqnr_db"});
  expect_refused(changed(kLayers, "\"bits\":4", "\"bits\":1"), {"bits", "2 to 8"});
  expect_refused(changed(kCalibration, "\"10\"", "\"ten\""), {"ten", "a number of images"});
}

TEST(LimitRecord, HeadersOfOthersAreRefused) {
  const auto refused = [](const std::string& line, const std::vector<std::string>& parts) {
    expect_error([&] { parse_header(line, "here"); }, ErrorKind::kData, parts);
  };
  refused(changed(kHeaderLine, "limit", "other"), {"study", "limit", "other"});
  refused(changed(kHeaderLine, "\"version\":1", "\"version\":2"), {"version", "2"});
  refused(changed(kHeaderLine, "10000", "0"), {"test_images"});
}

TEST(LimitResults, WholeFiles) {
  const std::string text = concat(kHeaderLine, "\n", kTrain, "\n", kQuantize, "\n");
  const LimitResults results = parse_limit_results(text, "file");
  EXPECT_EQ(results.header, kHeader);
  ASSERT_EQ(results.records.size(), 2u);
  EXPECT_EQ(to_line(results.records[1]), kQuantize);
  EXPECT_TRUE(parse_limit_results(concat(kHeaderLine, "\n"), "file").records.empty());

  const auto refused = [](const std::string& file, const std::vector<std::string>& parts) {
    expect_error([&] { parse_limit_results(file, "file"); }, ErrorKind::kData, parts);
  };
  refused("", {"no results", "file"});
  refused(concat(kTrain, "\n"), {"file line 1", "study"});
  refused(text + kTrain + "\n", {"file line 4", "twice", "train/plain/w8/s1"});
  refused(text + "\n" + kLayers, {"file line 4", "not JSON"});
  refused(text.substr(0, text.size() - 9), {"file line 3", "not JSON"});  // cut off
}

TEST(LimitResults, AMissingFileIsNamed) {
  expect_error([] { read_limit_results("no/such/results.jsonl"); }, ErrorKind::kIo,
               {"no/such/results.jsonl", "run limit_study"});
}

}  // namespace
}  // namespace qlimit
