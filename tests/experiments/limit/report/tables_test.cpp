#include "experiments/limit/report/tables.h"

#include <gtest/gtest.h>

#include "experiments/limit/report/markdown.h"
#include "tests/experiments/limit/report/made_up_study.h"

namespace qlimit {
namespace {

// Two seeds of one net, with all that the tables ask for.
StudySummary one_net() {
  return summary_of(
      {trained("plain/w8/s1", 10474, 740), trained("plain/w8/s2", 10474, 760),
       quantized("plain/w8/s1/min_max", R"("8/8":739,"6/6":700,"4/8":640,"4/4":540,"2/2":100)",
                 R"(,"bytes":{"8":10712,"4":5692})"),
       quantized("plain/w8/s2/min_max", R"("8/8":757,"6/6":720,"4/8":660,"4/4":560,"2/2":100)"),
       quantized("plain/w8/s1/bias", R"("4/4":690)"), quantized("plain/w8/s2/bias", R"("4/4":710)"),
       R"({"job":"layers/plain/w8/s1","bits":4,"int8":700,"correct":{"a":690,"b":670},"sqnr_db":{"a":30,"b":10}})",
       R"({"job":"calibration/plain/w8/s1/mse","correct":{"10":{"8/8":731},"1000":{"8/8":740}}})"});
}

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST(MarkdownTable, HeadRuleAndRows) {
  EXPECT_EQ(to_text(MarkdownTable{.columns = {"a", "b"}, .rows = {{"x", "1"}, {"y", ""}}}),
            "| a | b |\n| --- | ---: |\n| x | 1 |\n| y |  |\n");
  EXPECT_EQ(to_text(MarkdownTable{.columns = {"a"}}), kNoResults);
}

TEST(Tables, NetsWithDropsAndTheirNumber) {
  // Drops of 0.1 and 0.3 points: 0.2 -+ 12.706 * 0.1; nothing is both seeds'.
  const std::string table = table_of_nets(one_net());
  EXPECT_TRUE(
      has_line(table,
               "| plain | 8 | 10,474 | 100 | 10 | 2 | 75.00 (62.29 ... 87.71) | 0.20 (-1.07 ... 1.47) | "
               "4.00 (4.00 ... 4.00) | 10.00 (10.00 ... 10.00) | 20.00 (20.00 ... 20.00) |"))
      << table;
}

TEST(Tables, BreakingPointsOfTheBaseline) {
  // On the ladder of both: 8 bits may, 6 surely; only 4 and 8 bits were measured for weights, 8 for
  // activations.
  const std::string table = table_of_breaking_points(one_net());
  EXPECT_TRUE(has_line(table, "| plain | 10,474 | 2 | 6 | 4 | below 8 |")) << table;
}

TEST(Tables, MethodsSayWhatTheyDo) {
  const std::string table = table_of_methods(one_net());
  EXPECT_TRUE(has_line(table, "| `bias` | bias correction from images | W4A4 |")) << table;
}

TEST(Tables, RecoveryOfRemedies) {
  // 15 of 20 points come back, for both seeds.
  const std::string table = table_of_recovery(one_net(), {4, 4});
  EXPECT_TRUE(has_line(table, "| `bias` | `min_max` |  | 75 (75 ... 75) |  | 2 |")) << table;
  EXPECT_EQ(table_of_recovery(one_net(), {8, 4}), kNoResults);
}

// Two points are left of 20, for both seeds. The net that was not trained with quantization is left out.
TEST(Tables, TrainingsBesideWhatDoesNotTrain) {
  const std::string table = table_of_trainings(summary_of(
      {trained("plain/w5/s1", 4255, 600), trained("plain/w8/s1", 10474, 740),
       trained("plain/w8/s2", 10474, 760), quantized("plain/w5/s1/min_max", R"("4/4":500)"),
       quantized("plain/w8/s1/min_max", R"("8/8":740,"4/4":540)"),
       quantized("plain/w8/s2/min_max", R"("8/8":760,"4/4":560)"),
       quantized("plain/w8/s1/bias", R"("4/4":600)"), quantized("plain/w8/s1/lsq", R"("4/4":720,"2/2":690)"),
       quantized("plain/w8/s2/lsq", R"("4/4":740,"2/2":710)")}));
  EXPECT_EQ(table,
            "| shape | parameters | method | W4A4 | W2A2 | n |\n| --- | --- | --- | ---: | ---: | ---: |\n"
            "| plain | 10,474 | `min_max` | 20.00 (20.00 ... 20.00) |  | 2 |\n"
            "| plain | 10,474 | `lsq` | 2.00 (2.00 ... 2.00) | 5.00 (5.00 ... 5.00) | 2 |\n");
}

TEST(Tables, LayersAndNoise) {
  EXPECT_TRUE(has_line(table_of_noise(one_net()), "| plain | 1 | 1 | -1.00 |"));
  EXPECT_TRUE(has_line(tables_of_layers(one_net()), "| `b` |  |  | 3.00 | 10.0 |  |  |"));
}

TEST(Tables, Calibration) {
  const std::string table = table_of_calibration(one_net());
  EXPECT_TRUE(has_line(table, "| plain | 10,474 | W8A8 | `mse` | 1 | 0.90 | 0.00 |")) << table;
}

// Beside the small net in 8 bits, 50 %, the large one in 4 bits has 64 %.
TEST(Tables, TenOrTwentyThousand) {
  const std::string table = table_of_ten_or_twenty(summary_of(
      {trained("plain/w8/s1", 10474, 500), trained("plain/w12/s1", 23050, 700),
       quantized("plain/w8/s1/min_max", R"("8/8":500)", R"(,"bytes":{"8":10712})"),
       quantized("plain/w12/s1/min_max", R"("8/8":690,"4/8":640)", R"(,"bytes":{"8":23400,"4":11900})")}));
  EXPECT_TRUE(has_line(table, "| plain | W8A8 | `min_max` | 10,474 | 10,712 | 1 | 50.00 |  |")) << table;
  EXPECT_TRUE(has_line(table, "| plain | W4A8 | `min_max` | 23,050 | 11,900 | 1 | 64.00 | 14.00 |")) << table;
  EXPECT_EQ(table_of_ten_or_twenty(one_net()), kNoResults);  // both would be the same net
}

TEST(Tables, WithoutResultsTheySaySo) {
  const StudySummary empty = summary_of({});
  for (const std::string& table :
       {table_of_nets(empty), table_of_methods(empty), table_of_breaking_points(empty),
        tables_of_breaking_points_by_method(empty), table_of_recovery(empty, {4, 4}),
        table_of_trainings(empty), table_of_ten_or_twenty(empty), table_of_same_bytes(empty),
        table_of_noise(empty), tables_of_layers(empty), table_of_calibration(empty)})
    EXPECT_EQ(table, kNoResults);
}

}  // namespace
}  // namespace qlimit
