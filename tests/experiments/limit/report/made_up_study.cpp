#include "tests/experiments/limit/report/made_up_study.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/random.h"
#include "experiments/limit/jobs.h"
#include "experiments/limit/methods.h"

namespace qlimit {
namespace {

// What a method leaves of the noise of weights and of activations.
struct Effect {
  double weights = 1, activations = 1;
};

Effect effect_of(const Recipe& recipe) {
  Effect effect;
  const bool per_tensor = recipe.scales == Granularity::kPerTensor;
  if (per_tensor) effect.weights = recipe.equalizes ? 1.5 : 4;
  if (recipe.weights != WeightRangeMethod::kMinMax) effect.weights *= 0.6;
  if (recipe.activations == CalibrationMethod::kMse) effect.activations = 0.5;
  if (recipe.activations == CalibrationMethod::kEntropy) effect.activations = 2;
  if (recipe.activations == CalibrationMethod::kPercentile) effect.activations = 0.8;
  if (recipe.bias != BiasCorrection::kNone) effect.weights *= 0.7;
  if (recipe.mixes_widths) effect.weights *= 0.4;
  return effect;
}

class MadeUpNet {
 public:
  MadeUpNet(const StudyHeader& header, const NetKey& key)
      : header_(header), key_(key), random_(Random(key.seed, to_string(key))) {
    const auto w = static_cast<double>(key.width);
    plain_ = key.shape == "plain";
    parameters_ = plain_ ? 153 * w * w + 84 * w + 10 : 23.5 * w * w + 186.5 * w + 10;
    fp32_ = 45 + 17 * std::log10(parameters_ / 1000) + 0.6 * random_.normal();
  }

  TrainResult train() const {
    return {.parameters = std::llround(parameters_),
            .multiply_adds = std::llround(parameters_ * 78),
            .epochs = 10,
            .fp32 = images(fp32_),
            .seconds = 12.5,
            .instruction_set = "avx2"};
  }

  // `method` and widths decide about the noise; the rest is the seed's.
  int64_t correct(const BitWidths& bits, const Effect& effect, double more = 1) {
    const double shrink = std::pow(parameters_ / 10000, -0.25) * (plain_ ? 1 : 1.8);
    const double noise = 0.0009 * shrink * more *
                         (effect.weights * std::pow(4, 8 - bits.weights) +
                          effect.activations * std::pow(4, 8 - bits.activations));
    const double drop = (fp32_ - 10) * (1 - std::exp(-noise));
    return images(fp32_ - drop * (1 + 0.08 * random_.normal()) + 0.06 * random_.normal());
  }

  std::map<int, int64_t, std::greater<>> bytes(const std::vector<BitWidths>& points) const {
    std::map<int, int64_t, std::greater<>> bytes;
    for (const BitWidths& bits : points)
      bytes[bits.weights] =
          std::llround(parameters_ * bits.weights / 8 + 12 * static_cast<double>(key_.width));
    return bytes;
  }

  LayersResult layers(int bits) {
    LayersResult result{.bits = bits, .int8 = correct({8, 8}, {}), .layers = {}};
    const int convolutions = plain_ ? 4 : 13;
    for (int i = 1; i <= convolutions; ++i) {
      const double sqnr_db =
          12 + 6 * std::sin(2.2 * i) + 2 * std::log10(parameters_ / 1000) + random_.normal();
      const double lost = 60 * std::pow(10, -sqnr_db / 14) * (1 + 0.3 * random_.normal());
      result.layers.push_back({.name = concat("conv2d_", i),
                               .correct = images(percent(result.int8) - std::abs(lost)),
                               .sqnr_db = sqnr_db});
    }
    return result;
  }

 private:
  int64_t images(double percent) const {
    const auto all = static_cast<double>(header_.test_images);
    return std::llround(std::clamp(percent, 0.0, 100.0) * all / 100);
  }
  double percent(int64_t images) const {
    return 100 * static_cast<double>(images) / static_cast<double>(header_.test_images);
  }

  StudyHeader header_;
  NetKey key_;
  Random random_;
  bool plain_ = true;
  double parameters_ = 0, fp32_ = 0;
};

QuantizeResult quantize(MadeUpNet& net, const StudyPlan& plan, const Method& method) {
  QuantizeResult result;
  const std::vector<BitWidths> points = planned_points(plan, method.points);
  for (const BitWidths& bits : points) result.correct[bits] = net.correct(bits, effect_of(method.recipe));
  if (method.name == "min_max" || method.recipe.mixes_widths) result.bytes = net.bytes(points);
  return result;
}

CalibrationResult calibrate(MadeUpNet& net, const StudyPlan& plan, const Method& method) {
  CalibrationResult result;
  for (const int64_t images : plan.calibration_sizes)
    for (const BitWidths& bits : plan.calibration_points)
      result.correct[images][bits] =
          net.correct(bits, effect_of(method.recipe), 1 + 10 / static_cast<double>(images));
  return result;
}

}  // namespace

StudySummary summary_of(const std::vector<std::string>& lines) {
  std::string text = R"({"study":"limit","version":1,"preset":"full","data":"cifar10","test_images":1000})";
  for (const std::string& line : lines) text += "\n" + line;
  return StudySummary(parse_limit_results(text, "made up"));
}

std::string trained(const std::string& net, int64_t parameters, int64_t fp32) {
  return concat(R"({"job":"train/)", net, R"(","parameters":)", parameters,
                R"(,"multiply_adds":100,"epochs":10,"fp32":)", fp32,
                R"(,"seconds":1,"instruction_set":"avx2"})");
}

std::string quantized(const std::string& net_and_method, const std::string& correct,
                      const std::string& more) {
  return concat(R"({"job":"quantize/)", net_and_method, R"(","correct":{)", correct, "}", more, "}");
}

LimitResults made_up_results(const std::string& preset, uint64_t seeds) {
  StudyPlan plan = study_plan(preset);
  plan.seeds.resize(seeds);
  std::iota(plan.seeds.begin(), plan.seeds.end(), uint64_t{1});
  LimitResults results{.header = plan.header(), .records = {}};
  for (const Job& job : study_jobs(plan)) {
    MadeUpNet net(plan.header(), job.name.net);
    Record record{.job = job.name, .result = {}};
    switch (job.name.kind) {
      case JobKind::kTrain:
        record.result = net.train();
        break;
      case JobKind::kQuantize:
        record.result = quantize(net, plan, limit_method(job.name.method));
        break;
      case JobKind::kLayers:
        record.result = net.layers(plan.layer_bits);
        break;
      case JobKind::kCalibration:
        record.result = calibrate(net, plan, limit_method(job.name.method));
        break;
    }
    results.records.push_back(std::move(record));
  }
  return results;
}

std::string to_text(const LimitResults& results) {
  std::string text = to_line(results.header) + "\n";
  for (const Record& record : results.records) text += to_line(record) + "\n";
  return text;
}

}  // namespace qlimit
