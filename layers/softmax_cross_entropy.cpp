#include "layers/softmax_cross_entropy.h"

#include <algorithm>
#include <cmath>

#include "layers/require.h"

namespace qlimit {
namespace {

void check(const Shape& logits, const std::vector<uint8_t>& labels, double smoothing) {
  constexpr const char* kName = "softmax_cross_entropy";
  require_labels(kName, logits, labels);
  if (!(smoothing >= 0 && smoothing <= 1)) {
    throw Error(ErrorKind::kUsage, {.what = "label smoothing out of range",
                                    .where = kName,
                                    .expected = "0 to 1",
                                    .found = concat(smoothing)});
  }
}

// One row: its loss, and p - t into `grad`.
double row_loss(const Real* z, int64_t classes, int64_t label, double smoothing, Real* grad) {
  const double largest = *std::max_element(z, z + classes);
  double sum = 0;
  for (int64_t k = 0; k < classes; ++k) sum += std::exp(z[k] - largest);
  const double log_sum = std::log(sum);
  double loss = 0;
  for (int64_t k = 0; k < classes; ++k) {
    const double log_p = z[k] - largest - log_sum;
    const double target = (k == label ? 1 - smoothing : 0) + smoothing / static_cast<double>(classes);
    if (target > 0) loss -= target * log_p;  // 0 * log 0 counts as 0
    grad[k] = static_cast<Real>(std::exp(log_p) - target);
  }
  return loss;
}

}  // namespace

Variable softmax_cross_entropy(const Variable& logits, const std::vector<uint8_t>& labels,
                               double label_smoothing) {
  check(logits.shape(), labels, label_smoothing);
  const int64_t batch = logits.shape()[0], classes = logits.shape()[1];
  auto difference = Tensor<Real>::uninitialized(logits.shape());  // p - t
  double sum = 0;
  for (int64_t n = 0; n < batch; ++n) {
    sum += row_loss(logits.value().data() + n * classes, classes, labels[n], label_smoothing,
                    difference.data() + n * classes);
  }
  auto mean = Tensor<Real>::full({}, static_cast<Real>(sum / static_cast<double>(batch)));
  return record(std::move(mean), {.name = "softmax_cross_entropy"}, {logits},
                [logits, difference, batch](const Tensor<Real>& upstream) {
                  auto grad = Tensor<Real>::uninitialized(logits.shape());
                  const Real scale = upstream[0] / static_cast<Real>(batch);
                  for (int64_t i = 0; i < grad.size(); ++i) grad[i] = scale * difference[i];
                  logits.add_grad(grad);
                });
}

}  // namespace qlimit
