#include "experiments/progress.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace qlimit {
namespace {

// A stream into a file without a name, read back as text.
class Capture {
 public:
  Capture() : file_(std::tmpfile()) {}
  ~Capture() { std::fclose(file_); }
  std::FILE* stream() { return file_; }
  std::string text() {
    std::fflush(file_);
    std::rewind(file_);
    std::string all;
    for (int c = std::fgetc(file_); c != EOF; c = std::fgetc(file_)) all += static_cast<char>(c);
    return all;
  }

 private:
  std::FILE* file_;
};

constexpr EpochProgress kFigures{.images = 512, .loss = 1.2345, .accuracy = 0.5678};

TEST(Clock, ShowsHoursOnlyWhenThereAreAny) {
  EXPECT_EQ(clock_text(0), "0:00");
  EXPECT_EQ(clock_text(7.4), "0:07");
  EXPECT_EQ(clock_text(59.6), "1:00");
  EXPECT_EQ(clock_text(750), "12:30");
  EXPECT_EQ(clock_text(3723), "1:02:03");
  EXPECT_EQ(clock_text(-5), "0:00");
}

TEST(Progress, AFileGetsOnePlainLineAnEpoch) {
  Capture capture;
  EXPECT_EQ(progress_style(capture.stream(), false), ProgressStyle::kLines);
  Progress progress(capture.stream(), progress_style(capture.stream(), false), 12, 512);
  for (int64_t epoch : {1, 2}) {
    progress.begin_epoch(epoch);
    for (int step = 0; step < 100; ++step) progress.update(kFigures);
    progress.end_epoch(kFigures, "  test 60.00 %");
  }
  const std::string text = capture.text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2) << text;
  EXPECT_EQ(text.find('\r'), std::string::npos);
  EXPECT_EQ(text.find("epoch  1/12  loss 1.2345  accuracy 56.78 %  test 60.00 %"), 0u) << text;
  EXPECT_NE(text.find("images/s"), std::string::npos);
  EXPECT_NE(text.find(" left\n"), std::string::npos);
  EXPECT_GT(progress.images_per_second(), 0);
}

TEST(Progress, ABarIsErasedBeforeItsLine) {
  Capture capture;
  Progress progress(capture.stream(), ProgressStyle::kBar, 1, 512);
  progress.begin_epoch(1);
  progress.end_epoch(kFigures, "");
  EXPECT_EQ(capture.text().rfind("\r\x1b[Kepoch 1/1", 0), 0u);
}

TEST(Progress, QuietPrintsNothingButStillMeasures) {
  Capture capture;
  EXPECT_EQ(progress_style(capture.stream(), true), ProgressStyle::kQuiet);
  Progress progress(capture.stream(), ProgressStyle::kQuiet, 1, 512);
  progress.begin_epoch(1);
  progress.update(kFigures);
  progress.end_epoch(kFigures, "");
  EXPECT_EQ(capture.text(), "");
  EXPECT_GT(progress.images_per_second(), 0);
}

}  // namespace
}  // namespace qlimit
