// How far a list of jobs has come: on a terminal one line that is overwritten, elsewhere one line for each
// job that ends.
//
//   [ 37/1520] quantize/plain/w8/s1/min_max  12.3 s  45:10, 5:12:00 left
#pragma once

#include <chrono>
#include <cstdio>
#include <string>

#include "experiments/progress.h"

namespace qlimit {

class JobProgress {
 public:
  /// jobs: how many there are; of them `done` need not be done any more, and the others are estimated to take
  /// `seconds` together. `out` must outlive the object.
  JobProgress(std::FILE* out, ProgressStyle style, size_t jobs, size_t done, double seconds);
  /// Ends the line.
  ~JobProgress();
  JobProgress(const JobProgress&) = delete;
  JobProgress& operator=(const JobProgress&) = delete;

  void begin(const std::string& job);
  /// estimated: its share of the seconds above.
  void end(const std::string& job, double estimated);
  /// Takes the line away, for a message.
  void clear();

  /// Seconds until all is done, at the pace so far: estimates are right in proportion. Those of the estimates
  /// before the first job has ended.
  double seconds_left(double elapsed) const;

 private:
  using Clock = std::chrono::steady_clock;
  std::string line(const std::string& job, const std::string& state) const;

  std::FILE* out_;
  ProgressStyle style_;
  size_t jobs_, done_;
  double estimated_left_, estimated_done_ = 0;
  Clock::time_point start_, job_start_;
};

}  // namespace qlimit
