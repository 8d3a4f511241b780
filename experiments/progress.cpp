#include "experiments/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

namespace qlimit {
namespace {

constexpr int kBarWidth = 20;
constexpr double kSecondsBetweenDrawings = 0.1;
constexpr const char* kEraseLine = "\r\x1b[K";

int terminal_columns(std::FILE* out) {
  winsize size{};
  const bool known = ::ioctl(::fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

std::string bar(double share) {
  const int filled = std::clamp(static_cast<int>(share * kBarWidth), 0, kBarWidth);
  std::string text(static_cast<size_t>(filled), '=');
  if (filled < kBarWidth) text += '>';
  text.resize(kBarWidth, ' ');
  return "[" + text + "]";
}

}  // namespace

ProgressStyle progress_style(std::FILE* out, bool quiet) {
  if (quiet) return ProgressStyle::kQuiet;
  return ::isatty(::fileno(out)) ? ProgressStyle::kBar : ProgressStyle::kLines;
}

std::string clock_text(double seconds) {
  const auto total = static_cast<int64_t>(std::max(0.0, seconds) + 0.5);
  const int64_t hours = total / 3600, minutes = total / 60 % 60;
  return hours > 0 ? fmt::format("{}:{:02}:{:02}", hours, minutes, total % 60)
                   : fmt::format("{}:{:02}", minutes, total % 60);
}

void redraw_line(std::FILE* out, std::string line) {
  line.resize(std::min(line.size(), static_cast<size_t>(terminal_columns(out) - 1)));
  fmt::print(out, "{}{}", kEraseLine, line);
  std::fflush(out);
}

void erase_line(std::FILE* out) { fmt::print(out, "{}", kEraseLine); }

Progress::Progress(std::FILE* out, ProgressStyle style, int64_t epochs, int64_t images_per_epoch)
    : out_(out), style_(style), epochs_(epochs), images_per_epoch_(images_per_epoch) {}

void Progress::begin_epoch(int64_t epoch) {
  epoch_ = epoch;
  epoch_start_ = Clock::now();
  last_drawn_ = epoch_start_;
  if (first_epoch_ == 0) {
    first_epoch_ = epoch;
    start_ = epoch_start_;
  }
}

void Progress::update(const EpochProgress& figures) {
  if (style_ != ProgressStyle::kBar || seconds_since(last_drawn_) < kSecondsBetweenDrawings) return;
  last_drawn_ = Clock::now();
  const double done = static_cast<double>(figures.images);
  std::string line =
      fmt::format("{} {} {}/{}  loss {:.4f}  accuracy {:.1f} %  {:.0f} images/s  {}, {} left", heading(),
                  bar(done / static_cast<double>(images_per_epoch_)), figures.images, images_per_epoch_,
                  figures.loss, 100 * figures.accuracy, done / seconds_since(epoch_start_),
                  clock_text(seconds_since(start_)), clock_text(seconds_left(done)));
  redraw_line(out_, std::move(line));
}

void Progress::end_epoch(const EpochProgress& figures, const std::string& remark) {
  const double seconds = seconds_since(epoch_start_);
  seconds_in_epochs_ += seconds;
  images_in_epochs_ += figures.images;
  if (style_ == ProgressStyle::kQuiet) return;
  fmt::print(out_, "{}{}  loss {:.4f}  accuracy {:5.2f} %{}  {:.0f} images/s  {}, {} left\n",
             style_ == ProgressStyle::kBar ? kEraseLine : "", heading(), figures.loss, 100 * figures.accuracy,
             remark, static_cast<double>(figures.images) / seconds, clock_text(seconds_since(start_)),
             clock_text(seconds_left(static_cast<double>(figures.images))));
  std::fflush(out_);
}

double Progress::images_per_second() const {
  return seconds_in_epochs_ > 0 ? static_cast<double>(images_in_epochs_) / seconds_in_epochs_ : 0;
}

double Progress::seconds_since(Clock::time_point start) const {
  return std::max(1e-9, std::chrono::duration<double>(Clock::now() - start).count());
}

// From the speed since the first epoch of this process: a resumed training has its earlier epochs for
// nothing.
double Progress::seconds_left(double images_done_in_epoch) const {
  const double per_epoch = static_cast<double>(images_per_epoch_);
  const double done = static_cast<double>(epoch_ - first_epoch_) * per_epoch + images_done_in_epoch;
  const double all = static_cast<double>(epochs_ - first_epoch_ + 1) * per_epoch;
  return done > 0 ? seconds_since(start_) * (all - done) / done : 0;
}

std::string Progress::heading() const {
  const size_t digits = fmt::formatted_size("{}", epochs_);
  return fmt::format("epoch {:>{}}/{}", epoch_, digits, epochs_);
}

}  // namespace qlimit
