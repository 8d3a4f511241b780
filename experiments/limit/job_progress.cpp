#include "experiments/limit/job_progress.h"

#include <fmt/format.h>

namespace qlimit {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

JobProgress::JobProgress(std::FILE* out, ProgressStyle style, size_t jobs, size_t done, double seconds)
    : out_(out),
      style_(style),
      jobs_(jobs),
      done_(done),
      estimated_left_(seconds),
      start_(Clock::now()),
      job_start_(start_) {}

JobProgress::~JobProgress() {
  if (style_ == ProgressStyle::kBar) fmt::print(out_, "\n");
}

void JobProgress::begin(const std::string& job) {
  job_start_ = Clock::now();
  if (style_ == ProgressStyle::kBar) redraw_line(out_, line(job, "running"));
}

void JobProgress::end(const std::string& job, double estimated) {
  ++done_;
  estimated_done_ += estimated;
  estimated_left_ -= estimated;
  const std::string text = line(job, fmt::format("{:.1f} s", seconds_since(job_start_)));
  if (style_ == ProgressStyle::kBar) redraw_line(out_, text);
  if (style_ != ProgressStyle::kLines) return;
  fmt::print(out_, "{}\n", text);
  std::fflush(out_);
}

void JobProgress::clear() {
  if (style_ != ProgressStyle::kBar) return;
  erase_line(out_);
  std::fflush(out_);
}

double JobProgress::seconds_left(double elapsed) const {
  return estimated_done_ > 0 ? elapsed * estimated_left_ / estimated_done_ : estimated_left_;
}

std::string JobProgress::line(const std::string& job, const std::string& state) const {
  const double elapsed = seconds_since(start_);
  return fmt::format("[{:>{}}/{}] {}  {}  {}, {} left", done_, fmt::formatted_size("{}", jobs_), jobs_, job,
                     state, clock_text(elapsed), clock_text(seconds_left(elapsed)));
}

}  // namespace qlimit
