#include "experiments/charts/training_curve.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

// How many pixels have just this colour.
int count(const Canvas& canvas, Color color) {
  const std::array<uint8_t, 3> wanted = Canvas(1, 1, color).pixel(0, 0);
  int n = 0;
  for (int y = 0; y < canvas.height(); ++y) {
    for (int x = 0; x < canvas.width(); ++x) n += canvas.pixel(x, y) == wanted ? 1 : 0;
  }
  return n;
}

TrainingCurve falling_loss(int epochs) {
  TrainingCurve curve{.title = "test"};
  for (int e = 1; e <= epochs; ++e) {
    curve.epochs.push_back({.train_loss = 2.0 / e,
                            .evaluation_loss = 2.2 / e,
                            .train_accuracy = 1 - 0.9 / e,
                            .evaluation_accuracy = 1 - 0.95 / e});
  }
  return curve;
}

TEST(TrainingCurveChart, DrawsBothCurvesInTheirColors) {
  const Canvas canvas = draw_training_curve(falling_loss(20));
  EXPECT_GT(count(canvas, kBlue), 2000);
  EXPECT_GT(count(canvas, kVermilion), 2000);
  EXPECT_EQ(count(canvas, kGreen), 0);  // no learning rate, no panel for it
}

TEST(TrainingCurveChart, ShowsTheLearningRateWhenGiven) {
  TrainingCurve curve = falling_loss(5);
  const int width = draw_training_curve(curve).width();
  for (EpochFigures& epoch : curve.epochs) epoch.learning_rate = 0.01;
  const Canvas canvas = draw_training_curve(curve);
  EXPECT_GT(count(canvas, kGreen), 500);
  EXPECT_GT(canvas.width(), width - 300);
}

TEST(TrainingCurveChart, LeavesOutAPanelWithoutFigures) {
  TrainingCurve curve = falling_loss(5);
  const int both = draw_training_curve(curve).width();
  for (EpochFigures& epoch : curve.epochs) epoch.train_accuracy = epoch.evaluation_accuracy = std::nullopt;
  EXPECT_LT(draw_training_curve(curve).width(), both);
}

TEST(TrainingCurveChart, SurvivesOneEpochGapsConstantsAndHugeValues) {
  EXPECT_GT(count(draw_training_curve(falling_loss(1)), kBlue), 20);
  TrainingCurve gaps = falling_loss(9);
  gaps.epochs[3].train_loss = NAN;
  gaps.epochs[4].evaluation_accuracy = std::nullopt;
  gaps.epochs[8] = {};
  EXPECT_GT(count(draw_training_curve(gaps), kBlue), 1000);
  TrainingCurve constant{.epochs = std::vector<EpochFigures>(7, {.train_loss = 0.5, .train_accuracy = 1.0})};
  EXPECT_GT(count(draw_training_curve(constant), kBlue), 1000);
  TrainingCurve huge = falling_loss(4);
  huge.epochs[2].train_loss = 1e30;
  EXPECT_GT(count(draw_training_curve(huge), kBlue), 1000);
}

TEST(TrainingCurveChart, RefusesToDrawNothing) {
  expect_error([] { draw_training_curve({.title = "empty"}); }, ErrorKind::kUsage,
               {"empty", "found 0 epochs"});
  expect_error([] { draw_training_curve({.epochs = {EpochFigures{.train_loss = NAN}}}); }, ErrorKind::kUsage,
               {"finite loss or accuracy", "found 1 epochs"});
}

}  // namespace
}  // namespace qlimit
