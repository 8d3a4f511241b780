#include "core/kernels/gemm_int8.h"

namespace qlimit {

void gemm_int8_reference(int64_t m, int64_t n, int64_t k, const int8_t* a, const int8_t* b, int32_t* c) {
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      int32_t sum = 0;
      for (int64_t l = 0; l < k; ++l) sum += int32_t{a[i * k + l]} * int32_t{b[j * k + l]};
      c[i * n + j] = sum;
    }
  }
}

void gemm_int8(int64_t m, int64_t n, int64_t k, const int8_t* a, const int8_t* b, int32_t* c) {
  gemm_int8_reference(m, n, k, a, b, c);
}

}  // namespace qlimit
