// The program limit_study as a user meets it, on the images of the sources.
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "core/error.h"
#include "core/file.h"
#include "core/kernels/isa.h"
#include "experiments/limit/jobs.h"
#include "experiments/limit/program.h"
#include "experiments/limit/record.h"
#include "experiments/limit/runner.h"
#include "tests/experiments/child.h"
#include "tests/support/expect_error.h"
#include "tests/support/sanitizers.h"
#include "tests/support/temporary_folder.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

class LimitStudy : public testing::Test {
 protected:
  Arguments command(const Arguments& more, const std::string& output = "out") const {
    Arguments all = {QLIMIT_LIMIT_STUDY, "--data", "tiny", "--output", folder_ / output};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  Exit run(const Arguments& more, const std::string& output = "out") const {
    return Child(command(more, output), folder_ / "log").wait();
  }

  std::string text(const fs::path& file) const {
    const std::vector<uint8_t> bytes = read_file(folder_ / file.string(), 1 << 26);
    return {bytes.begin(), bytes.end()};
  }

  // All files below a folder with their content.
  std::map<std::string, std::string> files(const std::string& output) const {
    std::map<std::string, std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / output)) {
      if (!entry.is_regular_file()) continue;
      const fs::path file = fs::relative(entry.path(), folder_.path());
      all[fs::relative(entry.path(), folder_ / output).string()] = text(file);
    }
    return all;
  }

  std::map<std::string, fs::file_time_type> times(const std::string& output) const {
    std::map<std::string, fs::file_time_type> all;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / output))
      if (entry.is_regular_file()) all[entry.path().string()] = entry.last_write_time();
    return all;
  }

  // What all jobs have found, but for how long and where nets were trained.
  std::string findings(const std::string& output) const {
    std::string all;
    for (Record record : read_limit_results(folder_ / output / "results.jsonl").records) {
      if (auto* net = std::get_if<TrainResult>(&record.result)) {
        net->seconds = 0;
        net->instruction_set = {};
      }
      all += to_line(record) + "\n";
    }
    return all;
  }

  TemporaryFolder folder_;
};

TEST_F(LimitStudy, DoesAllJobsAndThenNothing) {
  const std::vector<Job> jobs = study_jobs(study_plan("tiny"));
  const Exit exit = run({});
  ASSERT_EQ(exit.status, 0) << exit.err;
  EXPECT_EQ(exit.err, "");
  for (const Job& job : jobs) EXPECT_NE(exit.out.find(to_string(job.name) + "  "), std::string::npos);
  EXPECT_NE(exit.out.find(concat(jobs.size(), " of ", jobs.size(), " jobs are done")), std::string::npos);

  const LimitResults results = read_limit_results(folder_ / "out" / "results.jsonl");
  EXPECT_EQ(results.header, study_plan("tiny").header());
  ASSERT_EQ(results.records.size(), jobs.size());
  for (size_t i = 0; i < jobs.size(); ++i) EXPECT_EQ(results.records[i].job, jobs[i].name);
  for (const auto& [name, content] : files("out")) EXPECT_EQ(name.find(".tmp"), std::string::npos) << name;

  auto before = times("out");
  const Exit again = run({});
  EXPECT_EQ(again.status, 0);
  EXPECT_EQ(std::count(again.out.begin(), again.out.end(), '\n'), 1) << again.out;
  auto after = times("out");
  const std::string collected = folder_ / "out" / "results.jsonl";
  before.erase(collected);
  after.erase(collected);
  EXPECT_EQ(before, after);
}

// Jobs alone, in any order, in several processes and with any number of threads find the same.
TEST_F(LimitStudy, JobsAloneFindTheSame) {
  if (kUnderSanitizer) GTEST_SKIP();
  const size_t count = study_jobs(study_plan("tiny")).size();
  ASSERT_EQ(run({"--quiet", "--threads", "2"}, "whole").status, 0);
  ASSERT_EQ(run({"--job", concat(count), "--threads", "1"}, "parts").status, 0);  // trains its net itself
  EXPECT_TRUE(fs::exists(folder_ / "parts" / "nets" / "separable-w4-s1.qla"));
  EXPECT_TRUE(fs::exists(folder_ / "parts" / "jobs" / "train-separable-w4-s1.json"));
  EXPECT_FALSE(fs::exists(folder_ / "parts" / "results.jsonl"));  // others may be at work
  {
    Child first(command({"--jobs", "1-20", "--threads", "1"}, "parts"), folder_ / "log1");
    Child second(command({"--jobs", concat("10-", count), "--threads", "1"}, "parts"), folder_ / "log2");
    EXPECT_EQ(first.wait().status, 0);
    EXPECT_EQ(second.wait().status, 0);
  }
  const Exit rest = run({}, "parts");
  EXPECT_EQ(std::count(rest.out.begin(), rest.out.end(), '\n'), 1) << rest.out;  // nothing was left
  EXPECT_EQ(findings("whole"), findings("parts"));
}

TEST_F(LimitStudy, GoesOnAfterItWasKilled) {
  if (kUnderSanitizer) GTEST_SKIP();
  ASSERT_EQ(run({"--quiet"}, "whole").status, 0);
  for (const char* milestone : {"train-plain-w4-s1.json", "quantize-plain-w4-s1-min_max.json"}) {
    Child child(command({"--quiet"}, "killed"), folder_ / "log");
    while (!fs::exists(folder_ / "killed/jobs" / milestone))
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    child.kill();
    ASSERT_TRUE(child.wait().killed);
    // Whatever there is under its own name is whole.
    for (const Job& job : study_jobs(study_plan("tiny"))) {
      const fs::path file = fs::path("killed/jobs") / (file_stem(job.name) + ".json");
      if (!fs::exists(folder_ / file.string())) continue;
      EXPECT_NO_THROW(parse_record(text(file), study_plan("tiny").header(), file.string()));
    }
  }
  ASSERT_EQ(run({"--quiet"}, "killed").status, 0);
  EXPECT_EQ(findings("whole"), findings("killed"));
}

// Nets of which all is known are not trained again.
TEST_F(LimitStudy, GoesOnFromResultsOfWholeNets) {
  if (kUnderSanitizer) GTEST_SKIP();
  ASSERT_EQ(run({"--quiet"}, "whole").status, 0);
  const fs::path results = folder_ / "whole" / "results.jsonl";
  const Exit all = run({"--quiet", "--from", results}, "copy");
  ASSERT_EQ(all.status, 0) << all.err;
  EXPECT_EQ(findings("whole"), findings("copy"));
  EXPECT_TRUE(fs::is_empty(folder_ / "copy" / "nets"));

  LimitResults none = read_limit_results(results);
  none.header.test_images += 1;
  write_file(folder_ / "other.jsonl", to_line(none.header) + "\n");
  const Exit other = run({"--from", folder_ / "other.jsonl"}, "other");
  EXPECT_NE(other.status, 0);
  EXPECT_NE(other.err.find("another study"), std::string::npos) << other.err;
}

// An interruption while results are taken over leaves a part of a net; the rest follows.
TEST_F(LimitStudy, TakesOverTheRestAfterAnInterruption) {
  if (kUnderSanitizer) GTEST_SKIP();
  ASSERT_EQ(run({"--quiet"}, "whole").status, 0);
  LimitResults results = read_limit_results(folder_ / "whole" / "results.jsonl");
  std::string lines = to_line(results.header) + "\n";
  for (Record& record : results.records) {
    if (auto* net = std::get_if<TrainResult>(&record.result)) net->instruction_set = "another";
    lines += to_line(record) + "\n";
  }
  write_file(folder_ / "elsewhere.jsonl", lines);
  ASSERT_EQ(run({"--quiet", "--from", folder_ / "elsewhere.jsonl"}, "copy").status, 0);
  ASSERT_TRUE(fs::remove(folder_ / "copy/jobs/quantize-plain-w4-s1-bias.json"));
  const Exit again = run({"--quiet", "--from", folder_ / "elsewhere.jsonl"}, "copy");
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(findings("whole"), findings("copy"));
  EXPECT_TRUE(fs::is_empty(folder_ / "copy" / "nets"));
}

// What is missing of a net is measured with the same net, trained again; where that would be another one,
// all of it is done anew.
TEST_F(LimitStudy, GoesOnFromResultsOfAPartOfANet) {
  if (kUnderSanitizer) GTEST_SKIP();
  ASSERT_EQ(run({"--quiet"}, "whole").status, 0);
  LimitResults most = read_limit_results(folder_ / "whole" / "results.jsonl");
  most.records.pop_back();  // of the separable net
  const auto go_on = [&](const std::string& name, double seconds, const std::string& instruction_set) {
    std::string lines = to_line(most.header) + "\n";
    for (Record& record : most.records) {
      if (auto* net = std::get_if<TrainResult>(&record.result)) {
        net->seconds = seconds;
        net->instruction_set = instruction_set;
      }
      lines += to_line(record) + "\n";
    }
    write_file(folder_ / (name + ".jsonl"), lines);
    const Exit exit = run({"--quiet", "--from", folder_ / (name + ".jsonl")}, name);
    EXPECT_EQ(exit.status, 0) << exit.err;
    EXPECT_EQ(findings("whole"), findings(name));
    EXPECT_FALSE(fs::exists(folder_ / name / "nets" / "plain-w4-s1.qla"));
    EXPECT_TRUE(fs::exists(folder_ / name / "nets" / "separable-w4-s1.qla"));
    const Record training = parse_record(text(name + "/jobs/train-separable-w4-s1.json"), most.header, name);
    return std::get<TrainResult>(training.result).seconds;
  };
  constexpr double kElsewhere = 12345.5;
  EXPECT_EQ(go_on("here", kElsewhere, isa_name(active_isa())), kElsewhere);
  EXPECT_NE(go_on("there", kElsewhere, "another"), kElsewhere);
}

// A lost net is trained again, and refused if it is not what its results are of.
TEST_F(LimitStudy, ALostNetIsTrainedAgain) {
  ASSERT_EQ(run({"--job", "train/plain/w4/s1"}).status, 0);
  const fs::path net = folder_ / "out" / "nets" / "plain-w4-s1.qla";
  const auto before = read_file(net, 1 << 26);
  fs::remove(net);
  ASSERT_EQ(run({"--job", "quantize/plain/w4/s1/bias"}).status, 0);
  EXPECT_EQ(read_file(net, 1 << 26), before);

  fs::remove(net);
  const fs::path known = folder_ / "out" / "jobs" / "train-plain-w4-s1.json";
  Record record = parse_record(text("out/jobs/train-plain-w4-s1.json"), study_plan("tiny").header(), "known");
  std::get<TrainResult>(record.result).fp32 -= 1;
  write_file(known, to_line(record) + "\n");
  const Exit exit = run({"--job", "quantize/plain/w4/s1/mse"});
  EXPECT_EQ(exit.status, 1);
  EXPECT_NE(exit.err.find("trained again"), std::string::npos) << exit.err;
  EXPECT_FALSE(fs::exists(net));

  std::get<TrainResult>(record.result).instruction_set = "another";
  write_file(known, to_line(record) + "\n");
  const Exit elsewhere = run({"--job", "quantize/plain/w4/s1/mse"});
  EXPECT_EQ(elsewhere.status, 1);
  EXPECT_NE(elsewhere.err.find("expected another"), std::string::npos) << elsewhere.err;
  EXPECT_NE(elsewhere.err.find("QLIMIT_ISA"), std::string::npos) << elsewhere.err;
  EXPECT_FALSE(fs::exists(net));
}

TEST_F(LimitStudy, AFailureIsOneLineAndTheOthersGoOn) {
  ASSERT_EQ(run({"--job", "train/plain/w4/s1"}).status, 0);
  write_file(folder_ / "out" / "nets" / "plain-w4-s1.qla", "damaged");
  const Exit exit = run({"--quiet"});
  EXPECT_EQ(exit.status, 1);
  const std::vector<Job> jobs = study_jobs(study_plan("tiny"));
  const auto broken = std::count_if(jobs.begin(), jobs.end(), [](const Job& job) {
    return job.name.net.shape == "plain" && job.name.kind != JobKind::kTrain;
  });
  EXPECT_EQ(std::count(exit.err.begin(), exit.err.end(), '\n'), broken + 1) << exit.err;
  EXPECT_NE(exit.err.find("limit_study: quantize/plain/w4/s1/min_max: "), std::string::npos) << exit.err;
  EXPECT_NE(exit.err.find(concat(broken, " jobs failed")), std::string::npos) << exit.err;
  EXPECT_EQ(read_limit_results(folder_ / "out" / "results.jsonl").records.size(), jobs.size() - broken);
}

// One line for a net that cannot be trained or kept, not one for each of its jobs.
TEST_F(LimitStudy, AFailedTrainingIsToldOnce) {
  ASSERT_EQ(run({"--job", "train/separable/w4/s1"}).status, 0);
  fs::create_directories(folder_ / "out" / "nets" / "plain-w4-s1.qla" / "not-empty");
  const Exit exit = run({"--quiet"});
  EXPECT_EQ(exit.status, 1);
  EXPECT_EQ(std::count(exit.err.begin(), exit.err.end(), '\n'), 2) << exit.err;
  EXPECT_NE(exit.err.find("train/plain/w4/s1: "), std::string::npos) << exit.err;
}

TEST_F(LimitStudy, ListsWithoutDoing) {
  const std::vector<Job> jobs = study_jobs(study_plan("tiny"));
  const Exit exit = run({"--list"});
  EXPECT_EQ(exit.status, 0);
  EXPECT_FALSE(fs::exists(folder_ / "out"));
  EXPECT_EQ(std::count(exit.out.begin(), exit.out.end(), '\n'), static_cast<int64_t>(jobs.size()) + 1);
  EXPECT_EQ(exit.out.find("done"), std::string::npos);
  EXPECT_NE(exit.out.find("    3  " + to_string(jobs[2].name)), std::string::npos) << exit.out;
  ASSERT_EQ(run({"--job", "1"}).status, 0);
  const Exit later = run({"--list"});
  EXPECT_NE(later.out.find("  done\n    2  "), std::string::npos) << later.out;
}

TEST_F(LimitStudy, PartsAreRangesForSchedulers) {
  const Exit exit = run({"--parts"});
  EXPECT_EQ(exit.status, 0);
  EXPECT_EQ(exit.out, concat("train 1-1\ntrain 2-2\nmeasure 3-21\nmeasure 22-",
                             study_jobs(study_plan("tiny")).size(), "\n"));
  EXPECT_FALSE(fs::exists(folder_ / "out"));
}

TEST_F(LimitStudy, WrongUsageIsRefused) {
  const auto refused = [&](const Arguments& more, const std::vector<std::string>& parts) {
    const Exit exit = run(more);
    EXPECT_EQ(exit.status, 2) << exit.err;
    EXPECT_EQ(std::count(exit.err.begin(), exit.err.end(), '\n'), 1) << exit.err;
    for (const std::string& part : parts) EXPECT_NE(exit.err.find(part), std::string::npos) << exit.err;
    EXPECT_FALSE(fs::exists(folder_ / "out")) << "nothing begun";
  };
  refused({"--job", "0"}, {"--job", "'0'", "--list"});
  refused({"--job", "train/plain/w5/s1"}, {"--job", "train/plain/w5/s1"});
  refused({"--jobs", "9-3"}, {"--jobs", "9-3"});
  refused({"--jobs", ""}, {"--jobs", "empty"});
  refused({"--jobs", "1-9999"}, {"--jobs", "1-9999"});
  refused({"--jobs", "1-3", "--list"}, {"--list, --parts, --job and --jobs"});
  refused({"--quick"}, {"--quick", "tiny"});
  refused({"--threads", "-1"}, {"--threads"});
  refused({"--fast"}, {"--fast", "--quick"});
}

TEST_F(LimitStudy, FoldersOfOtherStudiesAreRefused) {
  fs::create_directory(folder_ / "out");
  write_file(folder_ / "out" / "study.json", to_line(study_plan("quick").header()) + "\n");
  const Exit exit = run({});
  EXPECT_EQ(exit.status, 2);
  for (const char* part : {"another study", "study.json", "tiny", "quick", "--output"})
    EXPECT_NE(exit.err.find(part), std::string::npos) << exit.err;
  write_file(folder_ / "out" / "study.json", "{");
  EXPECT_EQ(run({}).status, 1);
}

TEST_F(LimitStudy, MissingDataIsOneError) {
  Arguments arguments = {QLIMIT_LIMIT_STUDY, "--data", folder_ / "nothing", "--output", folder_ / "out"};
  const Exit exit = Child(arguments, folder_ / "log").wait();
  EXPECT_EQ(exit.status, 1);
  EXPECT_EQ(std::count(exit.err.begin(), exit.err.end(), '\n'), 1) << exit.err;
  EXPECT_NE(exit.err.find("data/fetch cifar10"), std::string::npos) << exit.err;
}

TEST_F(LimitStudy, DamagedResultsAreNamed) {
  ASSERT_EQ(run({"--job", "1"}).status, 0);
  const fs::path file = folder_ / "out" / "jobs" / "train-plain-w4-s1.json";
  const std::string line = text("out/jobs/train-plain-w4-s1.json");
  StudyRunner runner(study_plan("tiny"), "tiny", folder_ / "out");
  const std::vector<Job> jobs = study_jobs(study_plan("tiny"));
  EXPECT_EQ(runner.collect(jobs), 1u);
  write_file(file, line.substr(0, line.size() / 2));
  expect_error([&] { runner.collect(jobs); }, ErrorKind::kData, {"train-plain-w4-s1.json", "not JSON"});
  std::string other = line;
  write_file(file, other.replace(other.find("plain"), 5, "other"));
  expect_error([&] { runner.collect(jobs); }, ErrorKind::kData, {"another job", "train/other/w4/s1"});
}

}  // namespace
}  // namespace qlimit
