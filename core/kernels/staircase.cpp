#include "core/kernels/staircase.h"

#include <vector>

#include "core/parallel.h"

namespace qlimit {

void staircase(int64_t count, const Staircase& s, const Real* x, Real* y) {
  parallel_for(count, kElementGrain,
               [&](int64_t i, int64_t end) { kernels().staircase(end - i, s, x + i, y + i); });
}

void staircase_backward(int64_t count, const Staircase& s, const Real* x, const Real* upstream, Real* dx) {
  parallel_for(count, kElementGrain, [&](int64_t i, int64_t end) {
    kernels().staircase_backward(end - i, s, x + i, upstream + i, dx + i);
  });
}

double staircase_scale_gradient(int64_t count, const Staircase& s, const Real* x, const Real* upstream) {
  std::vector<double> sums(static_cast<size_t>(chunk_count(count, kElementGrain)));
  parallel_chunks(count, kElementGrain, [&](int64_t chunk, int64_t i, int64_t end) {
    sums[static_cast<size_t>(chunk)] = kernels().staircase_scale_gradient(end - i, s, x + i, upstream + i);
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

}  // namespace qlimit
