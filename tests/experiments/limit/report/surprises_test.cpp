#include "experiments/limit/report/surprises.h"

#include <gtest/gtest.h>

#include "tests/experiments/limit/report/made_up_study.h"

namespace qlimit {
namespace {

constexpr BitWidths kW4A8 = {.weights = 4, .activations = 8};
constexpr BitWidths kW8A4 = {.weights = 8, .activations = 4};

TEST(Surprises, SharesAreFromTheLeastToTheMost) {
  // The small net gets half of its loss back, the large one three quarters.
  const StudySummary summary = summary_of(
      {trained("plain/w2/s1", 800, 500), quantized("plain/w2/s1/min_max", R"("4/8":400)"),
       quantized("plain/w2/s1/adaround", R"("4/8":450)"), trained("plain/w8/s1", 10474, 700),
       quantized("plain/w8/s1/min_max", R"("4/8":600)"), quantized("plain/w8/s1/adaround", R"("4/8":675)")});
  EXPECT_EQ(recovered_range(summary, "adaround", kW4A8), "50 to 75 %");
  EXPECT_EQ(recovered_range(summary, "bias", kW4A8), "–");
}

TEST(Surprises, SharesBesideAnotherMethodAreOfTheNetsThatBothHave) {
  const StudySummary summary = summary_of(
      {trained("plain/w2/s1", 800, 500), quantized("plain/w2/s1/min_max", R"("4/8":400)"),
       quantized("plain/w2/s1/adaround", R"("4/8":450)"), trained("plain/w8/s1", 10474, 700),
       quantized("plain/w8/s1/min_max", R"("4/8":600)"), quantized("plain/w8/s1/adaround", R"("4/8":675)"),
       quantized("plain/w8/s1/lsq", R"("4/8":690)")});
  EXPECT_EQ(recovered_range(summary, "adaround", kW4A8, "lsq"), "75 to 75 %");
  EXPECT_EQ(recovered_range(summary, "adaround", kW4A8, "qat"), "–");
}

TEST(Surprises, CalibrationIsComparedAtTheFewestAndTheMostImages) {
  const StudySummary summary = summary_of(
      {trained("plain/w2/s1", 800, 500),
       R"({"job":"calibration/plain/w2/s1/min_max","correct":{"10":{"8/4":490},"100":{"8/4":1},"1000":{"8/4":470}}})",
       trained("plain/w8/s1", 10474, 700),
       R"({"job":"calibration/plain/w8/s1/min_max","correct":{"10":{"8/4":680},"100":{"8/4":1},"1000":{"8/4":630}}})"});
  EXPECT_EQ(calibration_growth(summary, kW8A4), "1.50 points with 10 images, 5.00 with 1,000");
  EXPECT_EQ(calibration_growth(summary, kW4A8), "–");
}

TEST(Surprises, TheLargerNetIsComparedSeedBySeed) {
  std::vector<std::string> lines = {
      trained("plain/w8/s1", 10474, 700), quantized("plain/w8/s1/min_max", R"("8/8":700)"),
      trained("plain/w12/s1", 23050, 750), quantized("plain/w12/s1/adaround", R"("4/8":740)")};
  EXPECT_EQ(lead_of_the_larger_net(summary_of(lines), "plain", "adaround"), "4.00");
  lines.resize(2);
  EXPECT_EQ(lead_of_the_larger_net(summary_of(lines), "plain", "adaround"), "–");
  EXPECT_EQ(lead_of_the_larger_net(summary_of(lines), "separable", "adaround"), "–");
}

}  // namespace
}  // namespace qlimit
