// The table from made-up results: what is best, what a ratio is, what counts as reached.
#include "tests/bench/comparison/comparison.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

using Json = nlohmann::json;

Json result(const std::string& name, double microseconds) {
  return {{"run_name", name + "/real_time"},
          {"run_type", "iteration"},
          {"real_time", microseconds},
          {"time_unit", "us"}};
}

Samples samples_of(const std::vector<Json>& results) {
  Samples samples;
  add_samples(Json({{"benchmarks", results}}).dump(), samples);
  return samples;
}

const ComparedWork& line_of(const std::vector<ComparedWork>& lines, const std::string& work, int threads) {
  for (const ComparedWork& line : lines) {
    if (line.work == work && line.threads == threads) return line;
  }
  throw std::runtime_error("no line " + work);
}

TEST(Comparison, TakesTheMedianOfAllRepetitionsOfAllFiles) {
  const std::string name = "int8/micro/batch:1/threads:1/qlimit";
  Samples samples = samples_of({result(name, 4), result(name, 9)});
  add_samples(Json({{"benchmarks", {result(name, 5)}}}).dump(), samples);
  const ComparedWork line = line_of(compare(samples), "int8 micro, batch 1", 1);
  EXPECT_DOUBLE_EQ(line.ours->median, 5);
  EXPECT_DOUBLE_EQ(line.ours->low, 4);
  EXPECT_DOUBLE_EQ(line.ours->high, 9);
}

TEST(Comparison, ALatencyIsComparedWithTheShortestOfThePeers) {
  const std::string work = "int8/micro/batch:1/threads:2/";
  const auto lines = compare(samples_of({result(work + "qlimit", 5), result(work + "qlimit_float_borders", 1),
                                         result(work + "onednn", 20), result(work + "xnnpack", 25)}));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].peer, "onednn");
  EXPECT_DOUBLE_EQ(*lines[0].ratio, 0.25);
  EXPECT_DOUBLE_EQ(lines[0].goal, 0.35);
  EXPECT_TRUE(lines[0].reached());
}

TEST(Comparison, AThroughputIsComparedWithTheHighestOfThePeers) {
  const std::string work = "train/micro/batch:128/threads:1/";
  const auto lines = compare(samples_of(
      {result(work + "qlimit", 8000), result(work + "pytorch 1", 16000), result(work + "pytorch 2", 20000)}));
  const ComparedWork line = line_of(lines, "training micro, batch 128", 1);
  EXPECT_EQ(line.peer, "pytorch 1");
  EXPECT_DOUBLE_EQ(line.ours->median, 16000);  // 128 images in 8 ms
  EXPECT_DOUBLE_EQ(line.peer_figure->median, 8000);
  EXPECT_DOUBLE_EQ(*line.ratio, 2);
  EXPECT_FALSE(line.reached());  // 3 are wanted
}

TEST(Comparison, MemoryIsComparedWithTheMostFrugalPeer) {
  const std::string work = "train/mnist/batch:128/threads:1/";
  Json ours = result(work + "qlimit", 1), frugal = result(work + "a", 2), quick = result(work + "b", 1);
  ours["resident_MiB"] = 20;
  frugal["resident_MiB"] = 40;
  quick["resident_MiB"] = 80;
  const ComparedWork line =
      line_of(compare(samples_of({ours, frugal, quick})), "memory for training mnist", 1);
  EXPECT_EQ(line.peer, "a");
  EXPECT_DOUBLE_EQ(*line.ratio, 0.5);
  EXPECT_TRUE(line.reached());
}

TEST(Comparison, ProductsAreComparedByGeometricMeans) {
  const auto product = [](const std::string& name, double rate) {
    Json json = result(name, 1);
    json["Gop/s"] = rate;
    return json;
  };
  const auto lines = compare(samples_of({product("conv_forward/micro/conv1/threads:1/qlimit", 200),
                                         product("conv_forward/micro/conv1/threads:1/onednn", 100),
                                         product("conv_weight_gradient/standard/conv6/threads:1/qlimit", 100),
                                         product("conv_weight_gradient/standard/conv6/threads:1/onednn", 400),
                                         product("conv_forward/mnist/conv1/threads:1/qlimit", 1),
                                         product("conv_forward/mnist/conv1/threads:1/onednn", 1000)}));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NEAR(lines[0].ours->median, 141.42, 0.01);      // sqrt(200 * 100)
  EXPECT_NEAR(lines[0].peer_figure->median, 200, 1e-9);  // sqrt(100 * 400)
  EXPECT_NEAR(*lines[0].ratio, 0.7071, 1e-4);
  EXPECT_FALSE(lines[0].reached());
}

TEST(Comparison, TwoThreadsAreComparedWithOne) {
  const Samples single_images = samples_of(
      {result("int8/mnist/batch:1/threads:1/qlimit", 4), result("int8/mnist/batch:1/threads:2/qlimit", 5)});
  const auto lines = compare(samples_of({result("int8/mnist/batch:1/threads:1/qlimit", 40)}), single_images);
  EXPECT_DOUBLE_EQ(line_of(lines, "int8 mnist, batch 1", 1).ours->median, 40);
  const ComparedWork line = line_of(lines, "int8 mnist, batch 1, threads", 2);
  EXPECT_DOUBLE_EQ(*line.ratio, 1.25);
  EXPECT_FALSE(line.reached());
}

TEST(Comparison, WithoutPeersOursStandsAloneAndTheTableSaysWhereTheyAre) {
  const auto lines = compare(samples_of({result("fp32/standard/batch:1/threads:1/qlimit", 400)}));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_FALSE(lines[0].ratio);
  EXPECT_FALSE(lines[0].reached());
  const std::string text = to_text(lines);
  EXPECT_NE(text.find("400"), std::string::npos) << text;
  EXPECT_NE(text.find("scripts/install peers"), std::string::npos) << text;
}

TEST(Comparison, ATableHasALineForEachWorkAndSaysWhatIsReached) {
  const std::string work = "fp32/micro/batch:1/threads:1/";
  const std::string text =
      to_text(compare(samples_of({result(work + "qlimit", 10), result(work + "onednn", 20)})));
  EXPECT_NE(text.find("fp32 micro, batch 1"), std::string::npos) << text;
  EXPECT_NE(text.find("0.50 x"), std::string::npos) << text;
  EXPECT_NE(text.find("at most 0.60 x"), std::string::npos) << text;
  EXPECT_NE(text.find("yes"), std::string::npos) << text;
  EXPECT_EQ(text.find("scripts/install"), std::string::npos) << text;
}

TEST(Comparison, LeavesOutWhatWasNotMeasured) {
  Json mean = result("int8/mnist/batch:1/threads:1/qlimit", 1);
  mean["run_type"] = "aggregate";
  Json failed = result("int8/mnist/batch:1/threads:1/qlimit", 1);
  failed["error_occurred"] = true;
  EXPECT_TRUE(compare(samples_of({mean, failed})).empty());
}

TEST(Comparison, NotANumberHarmsNobody) {
  Samples samples;
  add_samples(R"({"benchmarks": [{"run_name": "fp32/micro/batch:1/threads:2/qlimit", "run_type": "iteration",
                 "real_time": 2e3, "time_unit": "ns", "allocations": NaN}]})",
              samples);
  EXPECT_DOUBLE_EQ(compare(samples).at(0).ours->median, 2);
}

TEST(Comparison, RefusesOtherFiles) {
  Samples samples;
  for (const char* text : {"", "text", "{}", R"({"benchmarks": [{"run_type": "iteration"}]})"}) {
    expect_error([&] { add_samples(text, samples); }, ErrorKind::kData, {"results of a benchmark"});
  }
}

}  // namespace
}  // namespace qlimit
