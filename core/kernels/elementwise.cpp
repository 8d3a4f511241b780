#include "core/kernels/elementwise.h"

#include "core/kernels/table.h"
#include "core/parallel.h"

namespace qlimit {
namespace {

constexpr int64_t kGrain = 32768;

}  // namespace

void clamp(int64_t count, Real low, Real high, const Real* x, Real* y) {
  parallel_for(count, kGrain,
               [=](int64_t i, int64_t end) { kernels().clamp(end - i, low, high, x + i, y + i); });
}

void clamp_backward(int64_t count, Real low, Real high, const Real* y, const Real* upstream, Real* dx) {
  parallel_for(count, kGrain, [=](int64_t i, int64_t end) {
    kernels().clamp_backward(end - i, low, high, y + i, upstream + i, dx + i);
  });
}

}  // namespace qlimit
