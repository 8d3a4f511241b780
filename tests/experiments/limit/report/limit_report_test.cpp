// The program limit_report as a user meets it, with the page of this project.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/file.h"
#include "experiments/champion/report.h"
#include "experiments/limit/report/report.h"
#include "tests/experiments/child.h"
#include "tests/experiments/limit/report/made_up_study.h"
#include "tests/support/temporary_folder.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

const fs::path kPage = fs::path(QLIMIT_SOURCE_DIR) / "docs" / "study.template.md";
constexpr size_t kMostChartBytes = 100'000;

class LimitReport : public testing::Test {
 protected:
  Exit run(const Arguments& more) const {
    Arguments arguments = {QLIMIT_LIMIT_REPORT, folder_ / "results.jsonl", "--template", kPage.string(),
                           "--champions",       folder_ / "champions"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Child(arguments, folder_ / "log").wait();
  }
  // A champion of two seeds: 84 and 86 % in int8, of 85 % in fp32.
  void write_champion() const {
    SeedResult seed{.seed = 42, .parameters = 10'074, .images = 100, .fp32_correct = 85, .int8_correct = 84};
    std::vector<SeedResult> seeds = {seed};
    seed.seed = 43;
    seed.int8_correct = 86;
    seeds.push_back(seed);
    const ChampionRecipe& recipe = champion_recipe("micro");
    ensure_writable_folder(folder_ / "champions/micro");
    SettingsList settings = describe(recipe);
    settings.push_back({"images", "all"});
    settings.push_back({"judged by", "test images"});
    write_file(folder_ / "champions/micro/result.json", champion_json(recipe, settings, seeds).dump());
  }
  void write_results(const LimitResults& results) const {
    write_file(folder_ / "results.jsonl", to_text(results));
  }
  std::string text(const std::string& file) const {
    const std::vector<uint8_t> bytes = read_file(folder_ / file, 1 << 24);
    return {bytes.begin(), bytes.end()};
  }
  size_t charts(const std::string& output) const {
    const fs::directory_iterator files(folder_ / (output + "/study"));
    return static_cast<size_t>(std::count_if(begin(files), end(files), [](const fs::directory_entry& entry) {
      return entry.path().extension() == ".png";
    }));
  }
  void expect_complaint(const Exit& exit, int status, const std::string& part) const {
    EXPECT_EQ(exit.status, status) << exit.err;
    EXPECT_EQ(exit.err.rfind("limit_report: ", 0), 0u) << exit.err;
    EXPECT_EQ(std::count(exit.err.begin(), exit.err.end(), '\n'), 1) << exit.err;
    EXPECT_NE(exit.err.find(part), std::string::npos) << exit.err;
    EXPECT_FALSE(fs::exists(folder_ / "out")) << "something was written";
  }

  void SetUp() override { ensure_writable_folder(folder_ / "champions"); }

  TemporaryFolder folder_;
};

TEST_F(LimitReport, WritesThePageWithItsCharts) {
  write_results(made_up_results("full", 5));
  write_champion();
  const Exit exit = run({"--output", folder_ / "out"});
  ASSERT_EQ(exit.status, 0) << exit.err;
  const std::string page = text("out/study.md");
  EXPECT_EQ(page.find("{{"), std::string::npos);
  EXPECT_EQ(page.find("no results"), std::string::npos) << "a chart or a table is missing";
  EXPECT_NE(page.find("| 10,074 |"), std::string::npos);
  EXPECT_NE(page.find("| 85.00 (72.29 ... 97.71) | 0.00 (-12.71 ... 12.71) |"), std::string::npos) << page;
  EXPECT_EQ(text("out/study/results.jsonl"), text("results.jsonl"));
  EXPECT_EQ(charts("out"), 11u);
  for (const auto& file : fs::directory_iterator(folder_ / "out/study")) {
    if (file.path().extension() != ".png") continue;
    EXPECT_LT(file.file_size(), kMostChartBytes) << file.path();
    EXPECT_NE(page.find("(study/" + file.path().filename().string() + ")"), std::string::npos) << file.path();
    EXPECT_NE(exit.out.find(file.path().string()), std::string::npos);
  }
}

TEST_F(LimitReport, CoarseAndUnfinishedStudiesWillDo) {
  for (const auto& [preset, seeds] : {std::pair{"full", 3}, {"quick", 2}, {"tiny", 1}}) {
    LimitResults results = made_up_results(preset, static_cast<uint64_t>(seeds));
    results.records.resize(results.records.size() * 4 / 5);
    write_results(results);
    const Exit exit = run({"--output", folder_ / "out"});
    EXPECT_EQ(exit.status, 0) << preset << ": " << exit.err;
  }
  EXPECT_NE(text("out/study.md").find("no results"), std::string::npos);  // tiny has few widths
}

// Any job may be missing: nothing that is there depends on it being there.
TEST_F(LimitReport, EachKindOfJobMayBeMissing) {
  for (const JobKind kind : {JobKind::kTrain, JobKind::kQuantize, JobKind::kLayers, JobKind::kCalibration}) {
    LimitResults results = made_up_results("quick", 2);
    std::erase_if(results.records, [&](const Record& record) { return record.job.kind == kind; });
    EXPECT_NO_THROW(make_report(StudySummary(results), {}));
  }
  LimitResults results = made_up_results("quick", 2);
  size_t index = 0;
  std::erase_if(results.records, [&](const Record&) { return ++index % 3 == 0; });
  EXPECT_NO_THROW(make_report(StudySummary(results), {}));
  results.records.clear();
  EXPECT_TRUE(make_report(StudySummary(results), {}).charts.empty());
}

TEST_F(LimitReport, WritesBesideTheResultsUnlessTold) {
  write_results(made_up_results("quick", 2));
  ASSERT_EQ(run({}).status, 0);
  EXPECT_TRUE(fs::exists(folder_ / "study.md"));
  EXPECT_TRUE(fs::exists(folder_ / "study" / "heat_map.png"));
}

TEST_F(LimitReport, TheSameResultsGiveTheSameBytes) {
  write_results(made_up_results("quick", 2));
  ASSERT_EQ(run({"--output", folder_ / "one"}).status, 0);
  ASSERT_EQ(run({"--output", folder_ / "two"}).status, 0);
  EXPECT_EQ(text("one/study.md"), text("two/study.md"));
  for (const auto& file : fs::directory_iterator(folder_ / "one/study")) {
    const std::string name = "study/" + file.path().filename().string();
    EXPECT_EQ(text("one/" + name), text("two/" + name)) << name;
  }
}

TEST_F(LimitReport, DamagedResultsAndPagesAreOneLineAndWriteNothing) {
  expect_complaint(run({"--output", folder_ / "out"}), 1, "./experiments/run limit_study");
  write_file(folder_ / "results.jsonl", "{");
  expect_complaint(run({"--output", folder_ / "out"}), 1, "results.jsonl line 1");
  write_results(made_up_results("quick", 2));
  write_file(folder_ / "page.md", "{{value:luck}}");
  expect_complaint(run({"--output", folder_ / "out", "--template", folder_ / "page.md"}), 1, "value:luck");
  write_file(folder_ / "page.md", "nothing");
  expect_complaint(run({"--output", folder_ / "out", "--template", folder_ / "page.md"}), 1,
                   "chart:heat_map");
  expect_complaint(run({"--output", folder_ / "out", "--template", folder_ / "none.md"}), 1, "--template");
  expect_complaint(run({"--colour", "blue"}), 2, "--colour");
  expect_complaint(run({"--champions", folder_ / "nobody"}), 2, "--champions");
  ensure_writable_folder(folder_ / "champions/mnist");
  write_file(folder_ / "champions/mnist/result.json", "{");
  expect_complaint(run({"--output", folder_ / "out"}), 1, "mnist/result.json");
}

TEST_F(LimitReport, HelpShowsExamples) {
  const Exit exit = run({"--help"});
  EXPECT_EQ(exit.status, 0);
  EXPECT_NE(exit.out.find("--output docs"), std::string::npos);
}

}  // namespace
}  // namespace qlimit
