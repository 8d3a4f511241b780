// Damaged files: each is refused with an Error, or is a model that compiles and runs.
#include <gtest/gtest.h>

#include "core/random.h"
#include "quant/quantize.h"
#include "quant/tflite/read.h"
#include "quant/tflite/write.h"
#include "tests/quant/random_graph.h"
#include "tests/quant/tflite/bounded_run.h"
#include "tests/quant/tflite/file_builder.h"

namespace qlimit {
namespace {

enum class Outcome { kRefused, kRead, kRun };

Outcome outcome_of(const std::string& bytes) {
  QuantizedGraph graph;
  try {
    graph = read_tflite(bytes, "damaged.tflite");
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("damaged.tflite"), std::string::npos) << text;
    EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; })) << text;
    return Outcome::kRefused;
  }
  try {
    return compile_and_run(std::move(graph)) ? Outcome::kRun : Outcome::kRead;
  } catch (const Error&) {  // for example a sum that could exceed 32 bits
    return Outcome::kRead;
  }
}

TEST(DamagedTfliteFile, TheWholeFileRuns) { EXPECT_EQ(outcome_of(build(every_operation())), Outcome::kRun); }

TEST(DamagedTfliteFile, EveryTruncationIsRefusedOrRuns) {
  const std::string whole = build(every_operation());
  int refused = 0;
  for (size_t size = 0; size < whole.size(); ++size)
    refused += outcome_of(whole.substr(0, size)) == Outcome::kRefused;
  // What may be missing at the end is padding and the last table's unused bytes.
  EXPECT_GT(refused, static_cast<int>(whole.size()) - 16);
}

/// How many of `trials` copies with one to three changed bytes are refused, and how many run.
struct Outcomes {
  int refused = 0, run = 0;
};
Outcomes outcomes_of_damage(const std::string& whole, uint64_t trials) {
  const Random seed(3, "damaged bytes");
  Outcomes outcomes;
  for (uint64_t i = 0; i < trials; ++i) {
    Random rng = seed.split(i);
    std::string damaged = whole;
    const uint32_t flips = 1 + rng.below(3);
    for (uint32_t k = 0; k < flips; ++k) {
      char& byte = damaged[rng.below(static_cast<uint32_t>(whole.size()))];
      byte = static_cast<char>(byte ^ (1 + rng.below(255)));
    }
    const Outcome outcome = outcome_of(damaged);
    outcomes.refused += outcome == Outcome::kRefused;
    outcomes.run += outcome == Outcome::kRun;
  }
  return outcomes;
}

TEST(DamagedTfliteFile, TenThousandDamagedBytesAreRefusedOrRun) {
  const Outcomes outcomes = outcomes_of_damage(build(every_operation()), 10000);
  // The bytes of weights, names and unused fields may be anything; most others may not.
  EXPECT_GT(outcomes.refused, 2000);
  EXPECT_GT(outcomes.run, 500);
}

TEST(DamagedTfliteFile, FourBitWeightsToo) {
  Random rng(4, "net");
  GraphBuilder net(rng, {1, 4, 4, 3});
  net.conv(3, {.kernel_h = 3, .kernel_w = 3}, true).depthwise(1, {}, true).flatten().dense(3);
  const Ranges ranges(net.graph().values.size(), Range{-2, 2});
  const std::string whole = write_tflite(quantize(net.graph(), ranges, {.weight_bits = 4})).bytes;
  EXPECT_EQ(outcome_of(whole), Outcome::kRun);
  const Outcomes outcomes = outcomes_of_damage(whole, 5000);
  EXPECT_GT(outcomes.refused, 1000);
  EXPECT_GT(outcomes.run, 250);
}

}  // namespace
}  // namespace qlimit
