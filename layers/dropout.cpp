#include "layers/dropout.h"

namespace qlimit {
namespace {

void check_rate(double rate) {
  if (rate >= 0 && rate < 1) return;
  throw Error(
      ErrorKind::kUsage,
      {.what = "dropout rate out of range", .expected = "at least 0 and below 1", .found = concat(rate)});
}

Tensor<Real> product(const Tensor<Real>& a, const Tensor<Real>& b) {
  auto c = Tensor<Real>::uninitialized(a.shape());
  for (int64_t i = 0; i < c.size(); ++i) c[i] = a[i] * b[i];
  return c;
}

}  // namespace

Variable dropout(const Variable& x, double rate, Random& random) {
  check_rate(rate);
  auto mask = Tensor<Real>::uninitialized(x.shape());
  const Real kept = static_cast<Real>(1 / (1 - rate));
  for (Real& m : mask) m = random.uniform() < rate ? 0 : kept;
  return record(product(x.value(), mask), {.name = "dropout"}, {x},
                [x, mask](const Tensor<Real>& upstream) { x.add_grad(product(upstream, mask)); });
}

Dropout::Dropout(double rate, const Random& stream)
    : rate_(rate), stream_(add_random_stream("mask", stream)) {
  check_rate(rate);
}

Variable Dropout::forward(const Variable& x) { return training() ? dropout(x, rate_, *stream_) : x; }

}  // namespace qlimit
