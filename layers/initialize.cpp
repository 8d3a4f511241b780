#include "layers/initialize.h"

#include <cmath>

#include "core/error.h"

namespace qlimit {
namespace {

void require_fan(const char* where, int64_t fan) {
  if (fan >= 1) return;
  throw Error(ErrorKind::kUsage, {.what = "a layer without inputs or outputs cannot be initialized",
                                  .where = where,
                                  .expected = "a fan of 1 or more",
                                  .found = concat(fan)});
}

}  // namespace

Tensor<Real> he_normal(const Shape& shape, int64_t fan_in, Random& random) {
  require_fan("he_normal", fan_in);
  const double deviation = std::sqrt(2.0 / static_cast<double>(fan_in));
  auto weights = Tensor<Real>::uninitialized(shape);
  for (Real& weight : weights) weight = static_cast<Real>(deviation * random.normal());
  return weights;
}

Tensor<Real> glorot_uniform(const Shape& shape, int64_t fan_in, int64_t fan_out, Random& random) {
  require_fan("glorot_uniform", fan_in);
  require_fan("glorot_uniform", fan_out);
  const double limit = std::sqrt(6.0 / static_cast<double>(fan_in + fan_out));
  auto weights = Tensor<Real>::uninitialized(shape);
  for (Real& weight : weights) weight = static_cast<Real>(random.uniform(-limit, limit));
  return weights;
}

}  // namespace qlimit
