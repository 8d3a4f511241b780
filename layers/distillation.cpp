#include "layers/distillation.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "layers/require.h"

namespace qlimit {
namespace {

constexpr const char* kName = "distillation";

void check(const Shape& logits, const Tensor<Real>& teacher, const std::vector<uint8_t>& labels,
           const DistillationOptions& options) {
  require_labels(kName, logits, labels);
  if (teacher.shape() != logits) {
    throw Error(ErrorKind::kUsage, {.what = "the teacher's logits have another shape than the student's",
                                    .where = kName,
                                    .expected = logits.to_string(),
                                    .found = teacher.shape().to_string()});
  }
  const Real* bad = std::find_if_not(teacher.begin(), teacher.end(), [](Real z) { return std::isfinite(z); });
  if (bad != teacher.end()) {
    throw Error(ErrorKind::kNumeric, {.what = "the teacher's answer is not a finite number",
                                      .where = kName,
                                      .found = concat(*bad, " at ", bad - teacher.begin())});
  }
  const auto require = [](bool holds, const char* what, const char* expected, double found) {
    if (holds) return;
    throw Error(ErrorKind::kUsage,
                {.what = what, .where = kName, .expected = expected, .found = concat(found)});
  };
  require(options.temperature > 0 && std::isfinite(options.temperature), "temperature out of range",
          "above 0", options.temperature);
  require(options.teacher_share >= 0 && options.teacher_share <= 1, "teacher's share out of range", "0 to 1",
          options.teacher_share);
}

// log softmax(z / temperature)
std::vector<double> log_softmax(const Real* z, int64_t classes, double temperature) {
  const double largest = *std::max_element(z, z + classes);
  std::vector<double> result(z, z + classes);
  double sum = 0;
  for (double& value : result) sum += std::exp(value = (value - largest) / temperature);
  for (double& value : result) value -= std::log(sum);
  return result;
}

// One row: T^2 * KL(p || q), and `weight` times its gradient with respect to z into `grad`.
double divergence(const std::vector<double>& log_p, const std::vector<double>& log_q, double temperature,
                  double weight, Real* grad) {
  double loss = 0;
  for (size_t k = 0; k < log_p.size(); ++k) {
    const double p = std::exp(log_p[k]);
    if (p > 0) loss += p * (log_p[k] - log_q[k]);  // 0 * log 0 counts as 0
    grad[k] += static_cast<Real>(weight * temperature * (std::exp(log_q[k]) - p));
  }
  return temperature * temperature * loss;
}

std::vector<double> log_one_hot(int64_t classes, uint8_t label) {
  std::vector<double> result(static_cast<size_t>(classes), -std::numeric_limits<double>::infinity());
  result[label] = 0;
  return result;
}

}  // namespace

Variable distillation(const Variable& logits, const Tensor<Real>& teacher, const std::vector<uint8_t>& labels,
                      const DistillationOptions& options) {
  check(logits.shape(), teacher, labels, options);
  const int64_t batch = logits.shape()[0], classes = logits.shape()[1];
  const double t = options.temperature, share = options.teacher_share;
  Tensor<Real> gradient(logits.shape());  // N dL/dz
  double sum = 0;
  for (int64_t n = 0; n < batch; ++n) {
    const Real* z = logits.value().data() + n * classes;
    Real* row = gradient.data() + n * classes;
    const std::vector<double> truth = log_one_hot(classes, labels[static_cast<size_t>(n)]);
    sum += share * divergence(log_softmax(teacher.data() + n * classes, classes, t),
                              log_softmax(z, classes, t), t, share, row);
    sum += (1 - share) * divergence(truth, log_softmax(z, classes, 1), 1, 1 - share, row);
  }
  auto mean = Tensor<Real>::full({}, static_cast<Real>(sum / static_cast<double>(batch)));
  return record(std::move(mean), {.name = kName}, {logits},
                [logits, gradient, batch](const Tensor<Real>& upstream) {
                  auto grad = Tensor<Real>::uninitialized(logits.shape());
                  const Real scale = upstream[0] / static_cast<Real>(batch);
                  for (int64_t i = 0; i < grad.size(); ++i) grad[i] = scale * gradient[i];
                  logits.add_grad(grad);
                });
}

}  // namespace qlimit
