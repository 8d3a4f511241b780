// How far a training has come: on a terminal one line that is overwritten, and one permanent line an epoch
// there and everywhere else. It only prints; it measures nothing but time.
//
//   epoch  3/40 [======>      ]  24320/50000  loss 1.2013  accuracy 56.8 %  9120 images/s  0:02, 0:03 left
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

namespace qlimit {

/// What an epoch has brought so far.
struct EpochProgress {
  int64_t images = 0;   // trained on in this epoch
  double loss = 0;      // mean over these images
  double accuracy = 0;  // share in [0,1] of these images that were recognized before the step that used them
};

enum class ProgressStyle { kBar, kLines, kQuiet };

/// A bar if `out` is a terminal, plain lines otherwise, nothing at all if quiet.
ProgressStyle progress_style(std::FILE* out, bool quiet);

/// "0:07", "12:30", "1:02:03".
std::string clock_text(double seconds);

/// Replaces the last line of a terminal by another, cut to its width and without an end.
void redraw_line(std::FILE* out, std::string line);
/// Takes it away.
void erase_line(std::FILE* out);

class Progress {
 public:
  /// `out` must outlive the object.
  Progress(std::FILE* out, ProgressStyle style, int64_t epochs, int64_t images_per_epoch);

  /// Starts the clock of an epoch, counted from 1. The first one begun starts the clock of the whole
  /// training.
  void begin_epoch(int64_t epoch);
  /// Redraws the bar, at most ten times a second.
  void update(const EpochProgress& figures);
  /// Replaces the bar by the epoch's line; `remark` is printed at its end.
  void end_epoch(const EpochProgress& figures, const std::string& remark);

  /// How long the epochs ended so far took.
  double seconds() const { return seconds_in_epochs_; }
  /// Images per second over the epochs ended so far, evaluation included; 0 before the first.
  double images_per_second() const;

 private:
  using Clock = std::chrono::steady_clock;
  double seconds_since(Clock::time_point start) const;
  double seconds_left(double images_done_in_epoch) const;
  std::string heading() const;

  std::FILE* out_;
  ProgressStyle style_;
  int64_t epochs_;
  int64_t images_per_epoch_;
  int64_t first_epoch_ = 0;
  int64_t epoch_ = 0;
  Clock::time_point start_;
  Clock::time_point epoch_start_;
  Clock::time_point last_drawn_;
  double seconds_in_epochs_ = 0;
  int64_t images_in_epochs_ = 0;
};

}  // namespace qlimit
