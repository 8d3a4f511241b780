#include "experiments/limit/report/sensitivity.h"

#include <gtest/gtest.h>

#include "tests/experiments/limit/report/made_up_study.h"

namespace qlimit {
namespace {

// Damages of 10, 30 and 20 answers.
std::string layers(const std::string& net, const std::string& sqnr_db) {
  return R"({"job":"layers/)" + net +
         R"(","bits":4,"int8":700,"correct":{"a":690,"b":670,"c":680},"sqnr_db":{)" + sqnr_db + "}}";
}

const char* const kOpposite = R"("a":30,"b":10,"c":20)";  // the less signal, the more damage
const char* const kAlong = R"("a":10,"b":30,"c":20)";
const char* const kEqual = R"("a":10,"b":10,"c":10)";

TEST(NoiseCorrelation, IsMinusOneIfNoiseTellsTheDamage) {
  const StudySummary summary = summary_of({trained("plain/w8/s1", 100, 710), layers("plain/w8/s1", kOpposite),
                                           layers("plain/w8/s2", kAlong), layers("plain/w8/s3", kEqual),
                                           layers("separable/w4/s1", kAlong)});
  EXPECT_NEAR(*noise_correlation(summary.layers().at({"plain", 8, 1})), -1, 1e-12);
  EXPECT_NEAR(*noise_correlation(summary.layers().at({"plain", 8, 2})), 1, 1e-12);
  EXPECT_FALSE(noise_correlation(summary.layers().at({"plain", 8, 3})).has_value());
  const BySeed plain = noise_correlations(summary, "plain");
  ASSERT_EQ(plain.size(), 2u);  // without the net that has none
  EXPECT_NEAR(plain.at(1), -1, 1e-12);
  EXPECT_NEAR(plain.at(2), 1, 1e-12);
  EXPECT_EQ(noise_correlations(summary, "separable").size(), 1u);
  EXPECT_EQ(narrow_layer_bits(summary), 4);
}

TEST(NoiseCorrelation, IsOneNumberForEachSeedWhateverItsNets) {
  const StudySummary summary = summary_of({trained("plain/w8/s1", 100, 710), trained("plain/w9/s1", 200, 710),
                                           layers("plain/w8/s1", kOpposite), layers("plain/w9/s1", kAlong),
                                           layers("plain/w8/s2", kAlong)});
  const BySeed by_seed = noise_correlations(summary, "plain");
  ASSERT_EQ(by_seed.size(), 2u);
  EXPECT_NEAR(by_seed.at(1), 0, 1e-12);
  EXPECT_EQ(count_correlated(summary, "plain"), 3u);
}

TEST(NoiseCorrelation, IntervalsStayBetweenMinusOneAndOne) {
  const StudySummary summary = summary_of({trained("plain/w8/s1", 100, 710), layers("plain/w8/s1", kOpposite),
                                           layers("plain/w8/s2", kAlong), layers("separable/w4/s1", kAlong)});
  const auto mean = mean_noise_correlation(summary, "plain");  // Student's would be 0 +- 12.7
  ASSERT_TRUE(mean && mean->interval);
  EXPECT_NEAR(mean->mean, 0, 1e-12);
  EXPECT_EQ(mean->interval->low, -1);
  EXPECT_EQ(mean->interval->high, 1);
  EXPECT_EQ(mean->count, 2u);
  EXPECT_FALSE(mean_noise_correlation(summary, "separable")->interval.has_value());
  EXPECT_FALSE(mean_noise_correlation(summary, "other").has_value());
}

TEST(LayerMeans, AreOverTheSeedsOfASize) {
  const StudySummary summary = summary_of({trained("plain/w8/s1", 100, 710), trained("plain/w8/s2", 100, 710),
                                           trained("plain/w9/s1", 200, 710), layers("plain/w8/s1", kOpposite),
                                           layers("plain/w8/s2", kAlong), layers("plain/w9/s1", kAlong)});
  const std::vector<LayerMean> means = layer_means(summary, "plain");
  ASSERT_EQ(means.size(), 6u);
  EXPECT_EQ(means[0].name, "a");
  EXPECT_EQ(means[0].net.width, 8);
  EXPECT_NEAR(means[0].damage, 1, 1e-12);
  EXPECT_NEAR(means[0].sqnr_db, 20, 1e-12);
  EXPECT_NEAR(means[1].damage, 3, 1e-12);
  EXPECT_EQ(means[4].name, "b");
  EXPECT_NEAR(means[4].sqnr_db, 30, 1e-12);
  EXPECT_TRUE(layer_means(summary, "separable").empty());
}

TEST(NarrowLayerBits, OfNoResultsThereAreNone) {
  EXPECT_FALSE(narrow_layer_bits(summary_of({})).has_value());
}

}  // namespace
}  // namespace qlimit
