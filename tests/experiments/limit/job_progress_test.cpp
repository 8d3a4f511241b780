#include "experiments/limit/job_progress.h"

#include <gtest/gtest.h>

#include "tests/support/temporary_folder.h"

namespace qlimit {
namespace {

// What a progress display writes into a file.
template <typename Body>
std::string written(ProgressStyle style, const Body& body) {
  const TemporaryFolder folder;
  std::FILE* file = std::fopen((folder / "out").c_str(), "w+");
  {
    JobProgress progress(file, style, 12, 3, 100);
    body(progress);
  }
  std::string text(static_cast<size_t>(std::ftell(file)), '\0');
  std::rewind(file);
  EXPECT_EQ(std::fread(text.data(), 1, text.size(), file), text.size());
  std::fclose(file);
  return text;
}

void two_jobs(JobProgress& progress) {
  progress.begin("a");
  progress.end("a", 10);
  progress.begin("b");
  progress.end("b", 20);
}

TEST(JobProgress, ALineForEachJob) {
  const std::string text = written(ProgressStyle::kLines, two_jobs);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  EXPECT_EQ(text.find("[ 4/12] a  0.0 s  0:00, 0:00 left\n[ 5/12] b  "), 0u) << text;
  EXPECT_EQ(text.find('\r'), std::string::npos);
}

TEST(JobProgress, OneLineOnATerminal) {
  const std::string text = written(ProgressStyle::kBar, two_jobs);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\r'), 4);
  EXPECT_NE(text.find("[ 3/12] a  running  0:00, 1:40 left"), std::string::npos) << text;
}

TEST(JobProgress, NothingIfQuiet) { EXPECT_EQ(written(ProgressStyle::kQuiet, two_jobs), ""); }

// 30 of 100 estimated seconds took 60: the other 70 will take 140.
TEST(JobProgress, EstimatesFollowThePace) {
  written(ProgressStyle::kQuiet, [](JobProgress& progress) {
    EXPECT_DOUBLE_EQ(progress.seconds_left(5), 100);
    two_jobs(progress);
    EXPECT_DOUBLE_EQ(progress.seconds_left(60), 140);
  });
}

}  // namespace
}  // namespace qlimit
