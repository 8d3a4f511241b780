#include "experiments/limit/program.h"

#include <fmt/format.h>

#include <set>

#include "core/error.h"
#include "core/parallel.h"
#include "experiments/command_line.h"
#include "experiments/limit/job_progress.h"
#include "experiments/limit/jobs.h"
#include "experiments/limit/runner.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDescription =
    "Maps the loss of quantization over the size of the network, the bits, and the remedies. A study is a "
    "list "
    "of independent jobs; what is finished is kept, so an interrupted study goes on where it stopped.";
constexpr const char* kExamples =
    "Examples:\n"
    "  limit_study --quick                         a coarse map in ten minutes\n"
    "  limit_study --job quantize/plain/w8/s1/mse  one job\n"
    "  limit_study --jobs 1-80 --threads 1         the first 80, beside other processes\n"
    "  limit_study --from docs/study/results.jsonl what is not known yet\n";

fs::path output_folder(const LimitOptions& options, const StudyPlan& plan) {
  if (!options.output.empty()) return options.output;
  return fs::path("results") / (plan.preset == "full" ? "limit_study" : "limit_study_" + plan.preset);
}

void list(const std::vector<Job>& jobs, const StudyRunner* runner) {
  double seconds = 0;
  for (size_t i = 0; i < jobs.size(); ++i) {
    const bool done = runner != nullptr && runner->is_done(jobs[i].name);
    fmt::print("{:>5}  {:<44}{:>9}{}\n", i + 1, to_string(jobs[i].name), clock_text(jobs[i].seconds),
               done ? "  done" : "");
    if (!done) seconds += jobs[i].seconds;
  }
  fmt::print("{} jobs, about {} to go on two fast cores with AVX-512, two to four times that on others\n",
             jobs.size(), clock_text(seconds));
}

// "train 1-1", "measure 81-97": what schedulers hand out.
void list_parts(const std::vector<Job>& jobs) {
  for (const JobPart& part : study_parts(jobs))
    fmt::print("{} {}-{}\n", part.trains ? "train" : "measure", part.range.begin + 1, part.range.end);
}

// Does the jobs of a range that are not done, and goes on after failures.
class Worker {
 public:
  Worker(StudyRunner& runner, const std::vector<Job>& jobs, JobRange range, ProgressStyle style)
      : runner_(runner) {
    double seconds = 0;
    for (size_t i = range.begin; i < range.end; ++i) {
      if (runner.is_done(jobs[i].name)) continue;
      todo_.push_back(jobs[i]);
      seconds += jobs[i].seconds;
    }
    const size_t count = range.end - range.begin;
    progress_ = std::make_unique<JobProgress>(stdout, style, count, count - todo_.size(), seconds);
  }

  // The number of jobs that failed.
  size_t work() {
    if (!todo_.empty()) runner_.read_data();  // a missing data set is one error, not one for each job
    size_t failures = 0;
    for (const Job& job : todo_) failures += !succeeds(job);
    progress_.reset();
    return failures;
  }

 private:
  bool succeeds(const Job& job) {
    const std::string name = to_string(job.name);
    if (untrained_.count(job.name.net) > 0) return false;  // said already
    progress_->begin(name);
    try {
      runner_.run(job.name);
      progress_->end(name, job.seconds);
      return true;
    } catch (const std::exception& error) {
      progress_->clear();
      std::fflush(stdout);
      fmt::print(stderr, "limit_study: {}: {}\n", name, error.what());
    }
    if (!runner_.is_done({.kind = JobKind::kTrain, .net = job.name.net})) untrained_.insert(job.name.net);
    return false;
  }

  StudyRunner& runner_;
  std::vector<Job> todo_;
  std::unique_ptr<JobProgress> progress_;
  std::set<NetKey> untrained_;  // their training failed, so all their jobs do
};

}  // namespace

std::optional<LimitOptions> parse_limit_options(const std::vector<std::string>& arguments,
                                                std::ostream& out) {
  LimitOptions options;
  CLI::App app(kDescription, "limit_study");
  app.option_defaults()->take_last();
  app.get_formatter()->column_width(36);
  app.footer(kExamples);
  app.add_flag("--list", options.list, "show the jobs with their numbers, and train and measure nothing");
  app.add_flag("--parts", options.parts,
               "show ranges for --jobs that one process should do, for schedulers; trainings have to be done "
               "before the others begin");
  app.add_option("--job", options.job, "do one job, by its number or its name");
  app.add_option("--jobs", options.jobs, "do these jobs, for example 3-17");
  app.add_option("--from", options.from,
                 "take over what an earlier run found, on whatever machine: its results.jsonl");
  app.add_flag("--quick", options.quick, "three sizes, two seeds, short trainings: ten minutes");
  app.add_option("--data", options.data,
                 "folder with the data sets, or 'tiny' for a study of seconds on the images of the sources");
  app.add_option(
      "--output", options.output,
      "folder for nets and results, created if need be [default: results/limit_study, with _quick or "
      "_tiny behind it for those studies]");
  app.add_option("--threads", options.threads, "threads for arithmetic; 0 means one a processor")
      ->check(whole(0, 1024));
  app.add_flag("--quiet", options.quiet, "no progress");
  if (!parse_command_line(app, arguments, out)) return std::nullopt;
  if (options.list + options.parts + !options.job.empty() + !options.jobs.empty() > 1) {
    throw Error(ErrorKind::kUsage, {.what = "only one of --list, --parts, --job and --jobs can be done"});
  }
  if (options.quick && options.data == "tiny") {
    throw Error(ErrorKind::kUsage, {.what = "--quick is a study of CIFAR-10",
                                    .where = "--data tiny",
                                    .hint = "leave out one of the two"});
  }
  return options;
}

StudyPlan chosen_plan(const LimitOptions& options) {
  if (options.data == "tiny") return study_plan("tiny");
  return study_plan(options.quick ? "quick" : "full");
}

int run_limit_study(const LimitOptions& options) {
  if (options.threads > 0) set_thread_count(options.threads);
  const StudyPlan plan = chosen_plan(options);
  const std::vector<Job> jobs = study_jobs(plan);
  if (options.parts) return list_parts(jobs), 0;
  const fs::path output = output_folder(options, plan);
  if (options.list && options.from.empty() && !fs::exists(output / "study.json"))
    return list(jobs, nullptr), 0;
  JobRange range{.begin = 0, .end = jobs.size()};
  if (!options.job.empty()) range = one_job(jobs, options.job);
  if (!options.jobs.empty()) range = job_range(jobs, options.jobs);

  StudyRunner runner(plan, options.data, output);
  if (!options.from.empty()) {
    const size_t adopted = runner.adopt(read_limit_results(options.from), jobs);
    fmt::print("taken over from {}: {} jobs\n", options.from.string(), adopted);
  }
  if (options.list) return list(jobs, &runner), 0;
  const size_t failures = Worker(runner, jobs, range, progress_style(stdout, options.quiet)).work();
  if (options.job.empty() && options.jobs.empty()) {
    const size_t done = runner.collect(jobs);
    fmt::print("{} of {} jobs are done: {}\n", done, jobs.size(), runner.results_path().string());
  }
  if (failures > 0) fmt::print(stderr, "limit_study: {} jobs failed\n", failures);
  return failures > 0 ? 1 : 0;
}

}  // namespace qlimit
