#include "experiments/limit/report/coverage.h"

#include <gtest/gtest.h>

#include "experiments/limit/jobs.h"
#include "tests/experiments/limit/report/made_up_study.h"

namespace qlimit {
namespace {

TEST(Coverage, OfAWholeStudy) {
  const std::string text = coverage_text(StudySummary(made_up_results("tiny", 1)));
  const size_t jobs = study_jobs(study_plan("tiny")).size();
  EXPECT_EQ(text, concat("all ", jobs, " jobs of it are in the results"));
}

TEST(Coverage, WhatHasNoResultAtAllIsNamed) {
  LimitResults results = made_up_results("quick", 1);
  std::erase_if(results.records, [](const Record& record) {
    return record.job.net.width >= 16 || record.job.method == "qat" || record.job.method == "lsq";
  });
  const std::string text = coverage_text(StudySummary(results));
  EXPECT_EQ(text.rfind(concat(results.records.size(), " of its "), 0), 0u) << text;
  EXPECT_EQ(
      text.substr(text.find(';')),
      "; there is nothing yet of the seed 2, the plain width 20, the separable widths 16, 40, the methods "
      "`qat`, `lsq`");
}

TEST(Coverage, AMethodThatMissesSomeNetsIsNamedWithThem) {
  LimitResults results = made_up_results("quick", 1);
  std::erase_if(results.records, [](const Record& record) {
    return record.job.method == "adaround" && record.job.net.shape == "separable" &&
           record.job.net.width >= 16;
  });
  const std::string text = coverage_text(StudySummary(results));
  EXPECT_NE(text.find(", the method `adaround` for the separable widths 16, 40"), std::string::npos) << text;
}

TEST(Coverage, WhatHasAnyResultIsNot) {
  LimitResults results = made_up_results("tiny", 1);
  results.records.pop_back();
  const std::string text = coverage_text(StudySummary(results));
  EXPECT_NE(text.find("jobs are in the results so far"), std::string::npos) << text;
  EXPECT_EQ(text.find(';'), std::string::npos) << text;
}

TEST(TrainedOn, NamesTheInstructionSets) {
  LimitResults results = made_up_results("quick", 2);
  EXPECT_EQ(trained_on_text(StudySummary(results)), "All trainings ran on `avx2`");
  const auto train_elsewhere = [&](auto&& belongs) {
    for (Record& record : results.records) {
      auto* net = std::get_if<TrainResult>(&record.result);
      if (net && belongs(record.job.net)) net->instruction_set = "neondot";
    }
  };
  train_elsewhere([](const NetKey& net) { return net.shape == "plain"; });
  EXPECT_EQ(trained_on_text(StudySummary(results)),
            "Trainings ran on `avx2`, `neondot`, all those of a size on the same");
  train_elsewhere([](const NetKey& net) { return net.seed == 1; });
  EXPECT_EQ(trained_on_text(StudySummary(results)), "Trainings ran on `avx2`, `neondot`");
  EXPECT_EQ(trained_on_text(StudySummary({.header = results.header, .records = {}})),
            "All trainings ran on –");
}

}  // namespace
}  // namespace qlimit
