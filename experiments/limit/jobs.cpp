#include "experiments/limit/jobs.h"

#include <charconv>
#include <optional>

#include "core/error.h"
#include "experiments/limit/methods.h"
#include "experiments/limit/nets.h"
#include "layers/summary.h"
#include "quant/remedies/adaround.h"

namespace qlimit {
namespace {

// A net with what decides about its times.
struct SizedNet {
  PlannedNet planned;
  double multiply_adds = 0;  // for one image
  size_t layers = 0;
};

// Of one image, in microseconds: a constant, and more for each million of multiply-adds. Depthwise
// convolutions and many small layers make the separable nets slower. Fitted to measurements on two cores
// with AVX-512 that multiply two vectors in a cycle; cores that multiply one need twice the time.
struct ImageCost {
  double base;
  double per_million;

  double seconds(const SizedNet& net, double images) const {
    return 1e-6 * images * (base + per_million * 1e-6 * net.multiply_adds);
  }
};

double training_seconds(const SizedNet& net, double images) {
  constexpr ImageCost kPlain = {25, 17}, kSeparable = {60, 38};
  return (net.planned.shape == "plain" ? kPlain : kSeparable).seconds(net, images);
}

double evaluation_seconds(const SizedNet& net, double images) {
  constexpr ImageCost kPlain = {4, 1.3}, kSeparable = {8, 2.6};
  return (net.planned.shape == "plain" ? kPlain : kSeparable).seconds(net, images);
}

// AdaRound takes each layer through so many images; as it copies and compares more, it needs about twice the
// time of a training.
double rounding_seconds(const SizedNet& net) {
  constexpr AdaRoundOptions kOptions;
  return 2 * training_seconds(net, static_cast<double>(kOptions.iterations * kOptions.batch));
}

// What a step of training costs with quantization, in ordinary steps.
constexpr double kFakeQuantization = 1.1;

SizedNet sized(const StudyPlan& plan, const PlannedNet& planned) {
  Random random(0, "sizes");
  const auto model = net_family(planned.shape).make(planned.width, random, plan.image_channels);
  const Summary summary = summarize(*model, {1, plan.image_side, plan.image_side, plan.image_channels});
  return {.planned = planned,
          .multiply_adds = static_cast<double>(summary.multiply_adds),
          .layers = summary.rows.size()};
}

std::vector<SizedNet> sized_nets(const StudyPlan& plan) {
  std::vector<SizedNet> nets;
  for (const PlannedNet& net : plan.nets) nets.push_back(sized(plan, net));
  return nets;
}

// The jobs of one kind for one trained net.
class JobList {
 public:
  explicit JobList(const StudyPlan& plan) : plan_(plan), nets_(sized_nets(plan)) {}

  std::vector<Job> all() {
    for (const uint64_t seed : plan_.seeds)
      for (const SizedNet& net : nets_) add_training(net, seed);
    for (const uint64_t seed : plan_.seeds)
      for (const SizedNet& net : nets_) add_questions(net, seed);
    return std::move(jobs_);
  }

 private:
  void add(JobKind kind, const SizedNet& net, uint64_t seed, const std::string& method, double seconds) {
    const NetKey key{.shape = net.planned.shape, .width = net.planned.width, .seed = seed};
    jobs_.push_back({.name = {.kind = kind, .net = key, .method = method}, .seconds = seconds});
  }

  void add_training(const SizedNet& net, uint64_t seed) {
    const auto images = static_cast<double>(plan_.train_images * net.planned.epochs);
    add(JobKind::kTrain, net, seed, {}, training_seconds(net, images));
  }

  void add_questions(const SizedNet& net, uint64_t seed) {
    const double evaluation = evaluation_seconds(net, static_cast<double>(plan_.test_images));
    const auto more_images = static_cast<double>(plan_.train_images * plan_.quantized_epochs);
    for (const Method& method : limit_methods()) {
      if (method.recipe.trains && !net.planned.trains_quantized) continue;
      const auto points = static_cast<double>(planned_points(plan_, method.points).size());
      const double rounding = method.recipe.learns_rounding ? rounding_seconds(net) : 0;
      const double training =
          method.recipe.trains ? kFakeQuantization * training_seconds(net, more_images) : 0;
      const double each = evaluation + rounding + training;
      if (points > 0) add(JobKind::kQuantize, net, seed, method.name, points * each);
    }
    add(JobKind::kLayers, net, seed, {}, static_cast<double>(net.layers) * evaluation);
    if (!net.planned.calibrates) return;
    const size_t points = plan_.calibration_sizes.size() * plan_.calibration_points.size();
    for (const std::string& method : plan_.calibration_methods)
      add(JobKind::kCalibration, net, seed, method, static_cast<double>(points) * evaluation);
  }

  const StudyPlan& plan_;
  std::vector<SizedNet> nets_;
  std::vector<Job> jobs_;
};

// All of the text as a number.
std::optional<size_t> number(std::string_view text) {
  size_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, value);
  if (status != std::errc() || stop != end) return std::nullopt;
  return value;
}

[[noreturn]] void refuse(const char* option, const std::vector<Job>& jobs, const std::string& expected,
                         std::string_view found) {
  throw Error(ErrorKind::kUsage, {.what = "no such job",
                                  .where = option,
                                  .expected = concat(expected, " (there are ", jobs.size(), ")"),
                                  .found = "'" + std::string(found) + "'",
                                  .hint = "--list shows them"});
}

}  // namespace

std::vector<Job> study_jobs(const StudyPlan& plan) { return JobList(plan).all(); }

std::vector<JobPart> study_parts(const std::vector<Job>& jobs) {
  std::vector<JobPart> parts;
  for (size_t i = 0; i < jobs.size(); ++i) {
    const bool trains = jobs[i].name.kind == JobKind::kTrain;
    const bool goes_on = !parts.empty() && !trains && !parts.back().trains &&
                         jobs[i].name.net == jobs[parts.back().range.begin].name.net;
    if (!goes_on) parts.push_back({.trains = trains, .range = {.begin = i, .end = i}});
    parts.back().range.end = i + 1;
  }
  return parts;
}

JobRange one_job(const std::vector<Job>& jobs, std::string_view text) {
  const std::optional<size_t> place = number(text);
  if (place && *place >= 1 && *place <= jobs.size()) return {*place - 1, *place};
  for (size_t i = 0; i < jobs.size(); ++i)
    if (to_string(jobs[i].name) == text) return {i, i + 1};
  refuse("--job", jobs, "a number from 1, or a name", text);
}

JobRange job_range(const std::vector<Job>& jobs, std::string_view text) {
  const size_t dash = text.find('-');
  if (dash != std::string_view::npos) {
    const std::optional<size_t> first = number(text.substr(0, dash)), last = number(text.substr(dash + 1));
    if (first && last && *first >= 1 && *first <= *last && *last <= jobs.size()) return {*first - 1, *last};
  }
  refuse("--jobs", jobs, "two numbers from 1, such as 3-17", text);
}

}  // namespace qlimit
