#include "experiments/limit/plan.h"

#include <algorithm>

#include "core/error.h"
#include "experiments/limit/nets.h"

namespace qlimit {
namespace {

// The two largest separable nets take more time than all others together.
constexpr int64_t kEpochs = 10;
constexpr int64_t kEpochsOfTheLargest = 5;
// So many of each shape, the smallest: up to 25,000 parameters.
constexpr size_t kTrainedQuantized = 5;

int64_t epochs_of(const std::string& shape, int64_t width) {
  return shape == "separable" && width > 40 ? kEpochsOfTheLargest : kEpochs;
}

StudyPlan full_plan() {
  StudyPlan plan{.preset = "full",
                 .data = "cifar10",
                 .image_side = 32,
                 .image_channels = 3,
                 .augmentation = {.pad = 4, .flip = true},
                 .train_images = 50'000,
                 .test_images = 10'000,
                 .seeds = {1, 2, 3, 4, 5},
                 .calibration_sizes = {10, 30, 100, 300, 1000},
                 .calibration_methods = {"min_max", "mse"},
                 .calibration_points = {{8, 8}, {8, 4}}};
  for (const NetFamily& family : net_families()) {
    for (size_t i = 0; i < family.widths.size(); ++i) {
      const int64_t width = family.widths[i];
      plan.nets.push_back({.shape = family.name,
                           .width = width,
                           .epochs = epochs_of(family.name, width),
                           .calibrates = i == 1 || i == 3 || i == 5,
                           .trains_quantized = i < kTrainedQuantized});
    }
  }
  return plan;
}

StudyPlan quick_plan() {
  StudyPlan plan = full_plan();
  plan.preset = "quick";
  plan.train_images = 20'000;
  plan.test_images = 2'000;
  plan.seeds = {1, 2};
  plan.points = {{8, 8}, {6, 6}, {4, 4}, {4, 8}, {8, 4}, {2, 8}};
  plan.calibration_sizes = {10, 100, 1000};
  plan.quantized_epochs = 1;
  plan.nets = {{"plain", 2, 4, false},     {"plain", 8, 4, true, true}, {"plain", 20, 4, false},
               {"separable", 4, 4, false}, {"separable", 16, 4, true},  {"separable", 40, 2, false}};
  return plan;
}

StudyPlan tiny_plan() {
  return {.preset = "tiny",
          .data = "mnist",
          .image_side = 28,
          .image_channels = 1,
          .train_images = 256,
          .test_images = 100,
          .nets = {{"plain", 4, 12, true, true}, {"separable", 4, 12, false}},
          .seeds = {1},
          .points = {{8, 8}, {4, 8}, {8, 4}},
          .calibration_images = 16,
          .calibration_sizes = {4, 16},
          .calibration_methods = {"min_max"},
          .calibration_points = {{8, 8}}};
}

}  // namespace

StudyPlan study_plan(std::string_view preset) {
  if (preset == "full") return full_plan();
  if (preset == "quick") return quick_plan();
  if (preset == "tiny") return tiny_plan();
  throw Error(ErrorKind::kUsage,
              {.what = "no such plan", .expected = "full, quick or tiny", .found = std::string(preset)});
}

std::vector<BitWidths> planned_points(const StudyPlan& plan, const std::vector<BitWidths>& points) {
  if (plan.points.empty()) return points;
  std::vector<BitWidths> chosen;
  for (const BitWidths& point : points)
    if (std::find(plan.points.begin(), plan.points.end(), point) != plan.points.end())
      chosen.push_back(point);
  return chosen;
}

const PlannedNet& planned_net(const StudyPlan& plan, const NetKey& net) {
  for (const PlannedNet& planned : plan.nets)
    if (planned.shape == net.shape && planned.width == net.width) return planned;
  throw Error(ErrorKind::kUsage,
              {.what = "the study has no such net", .where = "plan " + plan.preset, .found = to_string(net)});
}

}  // namespace qlimit
