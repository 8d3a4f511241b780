#include "experiments/limit/jobs.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "experiments/limit/methods.h"
#include "experiments/limit/record.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

double total_seconds(const std::vector<Job>& jobs) {
  double seconds = 0;
  for (const Job& job : jobs) seconds += job.seconds;
  return seconds;
}

// The result of a job as long as it can be: numbers of five digits, three layers more than there are.
Record longest_result(const StudyPlan& plan, const JobName& job) {
  const auto correct_at = [](const std::vector<BitWidths>& points) {
    Correct correct;
    for (const BitWidths& bits : points) correct[bits] = 8888;
    return correct;
  };
  Record record{.job = job, .result = {}};
  if (job.kind == JobKind::kTrain) {
    record.result = TrainResult{.parameters = 360790,
                                .multiply_adds = 67000000,
                                .epochs = 10,
                                .fp32 = 8888,
                                .seconds = 1234.5,
                                .instruction_set = "avx512vnni"};
  } else if (job.kind == JobKind::kQuantize) {
    QuantizeResult result{.correct = correct_at(limit_method(job.method).points), .bytes = {}};
    if (job.method == "min_max" || job.method == "mixed")
      for (const auto& [bits, count] : result.correct) result.bytes[bits.weights] = 360790;
    record.result = result;
  } else if (job.kind == JobKind::kLayers) {
    LayersResult result{.bits = 4, .int8 = 8888, .layers = {}};
    for (int i = 1; i <= (job.net.shape == "plain" ? 6 : 15); ++i) {
      const char* kind = job.net.shape == "plain" || i % 2 == 0 ? "conv2d_" : "depthwise_conv2d_";
      result.layers.push_back({.name = concat(kind, i), .correct = 8888, .sqnr_db = -12.34});
    }
    record.result = result;
  } else {
    CalibrationResult result;
    for (const int64_t images : plan.calibration_sizes)
      result.correct[images] = correct_at(plan.calibration_points);
    record.result = result;
  }
  return record;
}

// Both shapes, eight sizes, five seeds; every net is trained once and asked every question.
TEST(LimitJobs, TheFullStudyIsComplete) {
  const StudyPlan plan = study_plan("full");
  const std::vector<Job> jobs = study_jobs(plan);
  std::map<JobKind, std::set<NetKey>> nets;
  std::map<NetKey, std::set<std::string>> methods;
  std::set<std::string> names;
  for (const Job& job : jobs) {
    EXPECT_TRUE(names.insert(to_string(job.name)).second) << to_string(job.name);
    EXPECT_EQ(parse_job_name(to_string(job.name)), job.name);
    EXPECT_GT(job.seconds, 0) << to_string(job.name);
    nets[job.name.kind].insert(job.name.net);
    if (job.name.kind == JobKind::kQuantize) methods[job.name.net].insert(job.name.method);
    if (job.name.kind != JobKind::kTrain) {
      EXPECT_EQ(nets[JobKind::kTrain].size(), 80u) << "trainings come first";
    }
  }
  EXPECT_EQ(nets[JobKind::kLayers], nets[JobKind::kTrain]);
  EXPECT_EQ(methods.size(), 80u);
  const auto training = std::count_if(limit_methods().begin(), limit_methods().end(),
                                      [](const Method& method) { return method.recipe.trains.has_value(); });
  int64_t trained = 0;
  for (const auto& [net, of_net] : methods) {
    const bool trains = planned_net(plan, net).trains_quantized;
    trained += trains;
    EXPECT_EQ(of_net.size(), limit_methods().size() - static_cast<size_t>(trains ? 0 : training))
        << to_string(net);
  }
  EXPECT_EQ(trained, 50) << "five sizes of both shapes";
  EXPECT_GE(nets[JobKind::kCalibration].size(), 20u);
}

// Numbers are what arrays of jobs are made of: they must not depend on anything.
TEST(LimitJobs, OrderIsFixed) {
  const std::vector<Job> jobs = study_jobs(study_plan("full"));
  EXPECT_EQ(to_string(jobs[0].name), "train/plain/w2/s1");
  EXPECT_EQ(to_string(jobs[15].name), "train/separable/w120/s1");
  EXPECT_EQ(to_string(jobs[16].name), "train/plain/w2/s2");
  EXPECT_EQ(to_string(jobs[79].name), "train/separable/w120/s5");
  EXPECT_EQ(to_string(jobs[80].name), "quantize/plain/w2/s1/min_max");
  EXPECT_EQ(jobs.back().name.net, jobs[79].name.net);
}

TEST(LimitJobs, StudiesFitTheirTime) {
  EXPECT_LT(total_seconds(study_jobs(study_plan("full"))), 6 * 3600);
  EXPECT_LT(total_seconds(study_jobs(study_plan("quick"))), 600);
  EXPECT_LT(total_seconds(study_jobs(study_plan("tiny"))), 10);
}

TEST(LimitJobs, ResultsFitTheirSpace) {
  const StudyPlan plan = study_plan("full");
  size_t bytes = to_line(plan.header()).size() + 1;
  for (const Job& job : study_jobs(plan)) bytes += to_line(longest_result(plan, job.name)).size() + 1;
  EXPECT_LT(bytes, 300'000u);
}

TEST(LimitJobs, LargerNetsTakeLonger) {
  std::map<std::string, double> seconds;
  for (const Job& job : study_jobs(study_plan("full"))) seconds[to_string(job.name)] = job.seconds;
  EXPECT_GT(seconds["train/plain/w48/s1"], 5 * seconds["train/plain/w2/s1"]);
  EXPECT_GT(seconds["quantize/separable/w120/s1/min_max"], seconds["quantize/separable/w4/s1/min_max"]);
}

TEST(LimitJobs, OneOrSomeAreChosen) {
  const std::vector<Job> jobs = study_jobs(study_plan("tiny"));
  EXPECT_EQ(one_job(jobs, "1").begin, 0u);
  EXPECT_EQ(one_job(jobs, "3").end, 3u);
  EXPECT_EQ(one_job(jobs, to_string(jobs[4].name)).begin, 4u);
  EXPECT_EQ(job_range(jobs, "2-5").begin, 1u);
  EXPECT_EQ(job_range(jobs, "2-5").end, 5u);
  EXPECT_EQ(job_range(jobs, "3-3").end, 3u);
  EXPECT_EQ(job_range(jobs, concat("1-", jobs.size())).end, jobs.size());
}

// Each job once, in order; what is measured on one net stays together.
TEST(LimitJobs, PartsCoverTheStudy) {
  const std::vector<Job> jobs = study_jobs(study_plan("full"));
  size_t next = 0, trainings = 0;
  for (const JobPart& part : study_parts(jobs)) {
    EXPECT_EQ(part.range.begin, next);
    next = part.range.end;
    trainings += part.trains;
    EXPECT_EQ(part.range.end - part.range.begin > 1, !part.trains);
    for (size_t i = part.range.begin; i < part.range.end; ++i)
      EXPECT_EQ(jobs[i].name.net, jobs[part.range.begin].name.net);
  }
  EXPECT_EQ(next, jobs.size());
  EXPECT_EQ(trainings, 80u);
  EXPECT_EQ(study_parts(jobs).size(), 160u);
}

TEST(LimitJobs, OthersAreRefused) {
  const std::vector<Job> jobs = study_jobs(study_plan("tiny"));
  const std::string last = concat(jobs.size()), beyond = concat(jobs.size() + 1);
  for (const std::string& text : {std::string("0"), beyond, std::string("-1"), std::string("1.5"),
                                  std::string("train/plain/w99/s1"), std::string("99999999999999999999999")})
    expect_error([&] { one_job(jobs, text); }, ErrorKind::kUsage,
                 {"--job", last, "'" + text + "'", "--list"});
  for (const std::string& text :
       {std::string("3"), std::string("5-2"), std::string("0-2"), "1-" + beyond, std::string("-"),
        std::string("1-2-3"), std::string("a-b"), std::string("1 - 2"), std::string("2-")})
    expect_error([&] { job_range(jobs, text); }, ErrorKind::kUsage,
                 {"--jobs", last, "'" + text + "'", "--list"});
}

TEST(LimitMethods, TheTableIsSound) {
  std::set<std::string> names;
  for (const Method& method : limit_methods()) {
    EXPECT_TRUE(names.insert(method.name).second) << method.name;
    EXPECT_NO_THROW(parse_job_name("quantize/plain/w2/s1/" + method.name));
    EXPECT_FALSE(method.description.empty());
    std::set<BitWidths> points(method.points.begin(), method.points.end());
    EXPECT_EQ(points.size(), method.points.size()) << method.name;
    for (const BitWidths& bits : points) {
      EXPECT_GE(std::min(bits.weights, bits.activations), 2) << method.name;
      EXPECT_LE(std::max(bits.weights, bits.activations), 8) << method.name;
    }
  }
  // The baseline is measured wherever another method is.
  const std::vector<BitWidths>& baseline = limit_method("min_max").points;
  const std::set<BitWidths> measured(baseline.begin(), baseline.end());
  for (const Method& method : limit_methods())
    for (const BitWidths& bits : method.points)
      EXPECT_EQ(measured.count(bits), 1u) << method.name << " " << bits.weights << "/" << bits.activations;
  expect_error([] { limit_method("magic"); }, ErrorKind::kUsage, {"min_max", "magic"});
}

TEST(LimitPlan, UnknownOnesAreRefused) {
  expect_error([] { study_plan("slow"); }, ErrorKind::kUsage, {"full, quick or tiny", "slow"});
  expect_error([] { planned_net(study_plan("tiny"), {.shape = "plain", .width = 77, .seed = 1}); },
               ErrorKind::kUsage, {"plain/w77/s1"});
}

}  // namespace
}  // namespace qlimit
