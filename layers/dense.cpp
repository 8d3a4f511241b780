#include "layers/dense.h"

#include <vector>

#include "core/kernels/channel.h"
#include "core/kernels/gemm.h"
#include "core/parallel.h"
#include "layers/initialize.h"
#include "layers/require.h"

namespace qlimit {
namespace {

constexpr int64_t kRowsPerChunk = 32;

void check(const Variable& x, const Variable& weight, const Variable& bias) {
  if (x.shape().rank() != 2 || weight.shape().rank() != 2 || weight.shape()[1] != x.shape()[1] ||
      x.shape().size() == 0 || weight.shape().size() == 0) {
    throw Error(ErrorKind::kUsage,
                {.what = "wrong shapes",
                 .where = "dense",
                 .expected = "input [N,I] and weights [O,I]",
                 .found = concat(x.shape().to_string(), " and ", weight.shape().to_string()),
                 .hint = "put a Flatten layer before it if the input is an image"});
  }
  const int64_t out = weight.shape()[0];
  if (bias) require_shape(bias.shape() == Shape{out}, "dense", concat("bias [", out, "]"), bias.shape());
}

// c[m,n] = a[m,k] * b[k,n], the rows of c cut among threads.
Tensor<Real> multiply(int64_t m, const MatrixView& a, const PackedMatrix& b, const Epilogue& epilogue = {}) {
  Tensor<Real> c = Tensor<Real>::uninitialized({m, b.n()});
  parallel_for(m, kRowsPerChunk, [&](int64_t begin, int64_t end) {
    gemm(end - begin, {a.data + begin * a.row_stride, a.row_stride, a.column_stride}, b,
         c.data() + begin * b.n(), b.n(), epilogue);
  });
  return c;
}

}  // namespace

Variable dense(const Variable& x, const Variable& weight, const Variable& bias) {
  check(x, weight, bias);
  const int64_t batch = x.shape()[0], in = x.shape()[1], out = weight.shape()[0];
  Tensor<Real> y =
      multiply(batch, {x.value().data(), in, 1}, PackedMatrix({weight.value().data(), 1, in}, in, out),
               {.bias = bias ? bias.value().data() : nullptr});
  return record(std::move(y), {.name = "dense", .multiply_adds = batch * in * out}, {x, weight, bias},
                [=](const Tensor<Real>& upstream) {
                  const Real* g = upstream.data();
                  if (weight.wants_grad()) {
                    const PackedMatrix inputs({x.value().data(), in, 1}, batch, in);
                    weight.add_grad(multiply(out, {g, 1, out}, inputs));
                  }
                  if (x.wants_grad()) {
                    const PackedMatrix weights({weight.value().data(), in, 1}, out, in);
                    x.add_grad(multiply(batch, {g, out, 1}, weights));
                  }
                  if (bias && bias.wants_grad())
                    bias.add_grad(to_tensor(bias.shape(), channel_sums(batch, out, g)));
                });
}

Dense::Dense(int64_t in_features, int64_t out_features, bool use_bias, Random& random) {
  weight_ = add_parameter(
      "weight", glorot_uniform({out_features, in_features}, in_features, out_features, random), true);
  if (use_bias) bias_ = add_parameter("bias", Tensor<Real>({out_features}), false);
}

Variable Dense::forward(const Variable& x) { return dense(x, weight_, bias_); }

}  // namespace qlimit
