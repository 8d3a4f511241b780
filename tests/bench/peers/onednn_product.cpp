#include "tests/bench/peers/onednn_product.h"

#include <omp.h>

#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>

namespace qlimit {
namespace {

using dnnl::memory;

memory factor(int64_t rows, int64_t columns, const float* data, bool transposed, const dnnl::engine& engine) {
  const auto layout = transposed ? memory::format_tag::ba : memory::format_tag::ab;
  return {{{rows, columns}, memory::data_type::f32, layout}, engine, const_cast<float*>(data)};
}

class OnednnProduct : public PeerWork {
 public:
  OnednnProduct(const MatrixProduct& p, int threads)
      : threads_(threads), engine_(dnnl::engine::kind::cpu, 0), stream_(engine_), results_(p.m * p.n) {
    omp_set_num_threads(threads);
    const memory a = factor(p.m, p.k, p.a, p.a_transposed, engine_);
    const memory b = factor(p.k, p.n, p.b, p.b_transposed, engine_);
    const memory c = factor(p.m, p.n, results_.data(), false, engine_);
    matmul_ = dnnl::matmul({{a.get_desc(), b.get_desc(), c.get_desc()}, engine_});
    arguments_ = {{DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DST, c}};
  }

  void run() override {
    omp_set_num_threads(threads_);
    matmul_.execute(stream_, arguments_);
    stream_.wait();
  }

  std::vector<float> outputs() const override { return results_; }

 private:
  const int threads_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  std::vector<float> results_;
  dnnl::matmul matmul_;
  std::unordered_map<int, memory> arguments_;
};

}  // namespace

std::unique_ptr<PeerWork> onednn_product(const MatrixProduct& product, int threads) {
  return std::make_unique<OnednnProduct>(product, threads);
}

}  // namespace qlimit
