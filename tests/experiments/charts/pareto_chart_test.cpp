#include "experiments/charts/pareto_chart.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

VariantFigures figures(double accuracy, double microseconds, int64_t bytes) {
  return {accuracy, 0.003, {microseconds, 0.95 * microseconds, 1.1 * microseconds}, bytes};
}

ExperimentResult result(const std::string& name, const std::string& dataset, const VariantFigures& fp32,
                        const VariantFigures& int8) {
  return {.experiment = name, .dataset = dataset, .parameters = 1000, .fp32 = fp32, .int8 = int8};
}

const std::vector<ExperimentResult> kThree = {
    result("mnist_cnn", "mnist", figures(0.991, 15, 38000), figures(0.991, 9, 11000)),
    result("micro_cifar", "cifar10", figures(0.738, 30, 42000), figures(0.737, 18, 14000)),
    result("standard_cifar", "cifar10", figures(0.901, 350, 1400000), figures(0.900, 120, 360000))};

int count(const Canvas& canvas, Color color) {
  const std::array<uint8_t, 3> wanted = Canvas(1, 1, color).pixel(0, 0);
  int n = 0;
  for (int y = 0; y < canvas.height(); ++y) {
    for (int x = 0; x < canvas.width(); ++x) n += canvas.pixel(x, y) == wanted ? 1 : 0;
  }
  return n;
}

TEST(ParetoChart, DrawsEachModelInItsColor) {
  const Canvas canvas = draw_pareto_chart(kThree);
  for (const size_t model : {0, 1, 2}) EXPECT_GT(count(canvas, series_color(model)), 1000) << model;
  EXPECT_EQ(count(canvas, series_color(3)), 0);
}

TEST(ParetoChart, EachDataSetHasItsPanel) {
  const auto groups = by_dataset(kThree);
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].size(), 1u);
  EXPECT_EQ(groups[1][1].experiment, "standard_cifar");
  const int one = draw_pareto_chart({kThree[1], kThree[2]}).height();
  EXPECT_GT(draw_pareto_chart(kThree).height(), one + 200);
}

TEST(ParetoChart, SurvivesAwkwardFigures) {
  const ExperimentResult same = result("same", "cifar10", figures(1, 10, 1), figures(1, 10, 1));
  const ExperimentResult worse = result("worse", "cifar10", figures(0, 1, 10), figures(0, 1e9, 20));
  EXPECT_GT(count(draw_pareto_chart({same}), series_color(0)), 200);
  EXPECT_GT(count(draw_pareto_chart({same, same, worse}), series_color(2)), 200);
  EXPECT_GT(count(draw_pareto_chart(std::vector<ExperimentResult>(12, same)), series_color(5)), 200);
}

TEST(ParetoChart, RefusesNoneOrTooMany) {
  expect_error([] { draw_pareto_chart({}); }, ErrorKind::kUsage, {"1 to 12", "found 0"});
  expect_error([] { draw_pareto_chart(std::vector<ExperimentResult>(13, kThree[0])); }, ErrorKind::kUsage,
               {"1 to 12", "found 13"});
}

TEST(ParetoChart, TellsDifferentMachines) {
  std::vector<ExperimentResult> results = kThree;
  EXPECT_TRUE(latencies_compare(results));
  results[0].processor = results[1].processor = std::string("first");
  EXPECT_TRUE(latencies_compare(results));
  EXPECT_EQ(pareto_table(results).find("Caution"), std::string::npos);
  results[2].processor = std::string("second");
  EXPECT_FALSE(latencies_compare(results));
  EXPECT_NE(pareto_table(results).find("Caution: measured with different machines"), std::string::npos);
  results[0].processor.clear();  // one that is silent hides nothing
  EXPECT_FALSE(latencies_compare(results));
}

TEST(ParetoChart, TellsDifferentInstructionSetsAndThreads) {
  std::vector<ExperimentResult> results = kThree;
  results[0].instruction_set = "avx2";
  results[0].threads = 2;
  EXPECT_TRUE(latencies_compare(results));
  results[1].instruction_set = "avx512";
  EXPECT_FALSE(latencies_compare(results));
  results[1].instruction_set = "avx2";
  results[2].threads = 1;
  EXPECT_FALSE(latencies_compare(results));
}

TEST(ParetoTable, HasOneRowAModelWithItsFigures) {
  const std::string table = pareto_table(kThree);
  EXPECT_NE(table.find("| micro_cifar | CIFAR-10 | 1000 | 73.80 ± 0.30 % | 73.70 ± 0.30 % | -0.10 |"),
            std::string::npos)
      << table;
  EXPECT_NE(table.find("| 1.67× | 42 kB | 14 kB | 3.00× | both |"), std::string::npos) << table;
  // Every row has as many cells as the head.
  const auto bars = [](const std::string& line) { return std::count(line.begin(), line.end(), '|'); };
  size_t start = 0;
  for (int line = 0; line < 5; ++line) {
    const size_t end = table.find('\n', start);
    EXPECT_EQ(bars(table.substr(start, end - start)), 14) << table.substr(start, end - start);
    start = end + 1;
  }
}

TEST(ParetoTable, SaysWhichVersionIsOnTheFront) {
  std::vector<ExperimentResult> results = {kThree[1], kThree[2]};
  results[1].int8.accuracy = results[1].fp32.accuracy;  // as accurate and faster: fp32 is dominated
  results[0].fp32.accuracy = results[0].int8.accuracy = 0.7;
  EXPECT_NE(pareto_table(results).find("3.89× | int8 |"), std::string::npos) << pareto_table(results);
}

}  // namespace
}  // namespace qlimit
