// The peers compute what we compute: their figures are those of the same work. Built only where there are
// peers.
#include "tests/bench/peers/peers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/kernels/gemm.h"
#include "core/kernels/isa.h"
#include "core/random.h"
#include "quant/float_executor.h"
#include "quant/quantized_model.h"
#include "tests/bench/nets.h"

namespace qlimit {
namespace {

constexpr int64_t kImages = 3;

double largest(const std::vector<float>& values) {
  return std::abs(*std::max_element(values.begin(), values.end(),
                                    [](float a, float b) { return std::abs(a) < std::abs(b); }));
}

double largest_difference(const std::vector<float>& values, const Tensor<float>& expected) {
  EXPECT_EQ(static_cast<int64_t>(values.size()), expected.size());
  double difference = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    difference = std::max<double>(difference, std::abs(values[i] - expected[static_cast<int64_t>(i)]));
  }
  return difference;
}

class Peers : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Threads, Peers, testing::Values(1, 2), testing::PrintToStringParamName());

TEST_P(Peers, ThereAreSome) { EXPECT_FALSE(peers().empty()); }

TEST_P(Peers, FloatNetsGiveOurAnswers) {
  for (const Net& net : nets()) {
    const Tensor<float> images = random_images(net, kImages);
    const Tensor<float> ours = FloatExecutor(folded_graph(net)).run(images);
    for (const Peer& peer : peers()) {
      const auto theirs = peer.make_float(folded_graph(net), images, GetParam());
      theirs->run();
      EXPECT_LT(largest_difference(theirs->outputs(), ours), 1e-4 * largest(theirs->outputs()))
          << peer.name << ", " << net.name;
    }
  }
}

// oneDNN's sums of bytes saturate where the processor has no VNNI (its manual, "Nuances of int8
// computations").
bool saturates(const Peer& peer) {
  return peer.name == "onednn" && supported_isas().back() != Isa::kAvx512Vnni;
}

// They round differently, some steps of the output's scale at most.
TEST_P(Peers, Int8NetsGiveOurAnswersButForRounding) {
  for (const Net& net : nets()) {
    const QuantizedGraph& q = quantized_graph(net);
    const double step = q.params_of(q.graph.output).scale;
    const Tensor<float> ours = QuantizedModel(q).run(random_images(net, kImages));
    for (const Peer& peer : peers()) {
      const auto theirs = peer.make_int8(q, random_int8_images(net, kImages), GetParam());
      theirs->run();
      const double steps = saturates(peer) ? 20 : 4;
      EXPECT_LT(largest_difference(theirs->outputs(), ours), steps * step) << peer.name << ", " << net.name;
      EXPECT_GT(largest(theirs->outputs()), 30 * step) << peer.name << ", " << net.name;
    }
  }
}

TEST_P(Peers, ProductsAreProducts) {
  constexpr int64_t kM = 37, kN = 24, kK = 75;
  Random random(1, "factors");
  std::vector<float> a(kM * kK), b(kK * kN), ours(kM * kN);
  for (auto* factor : {&a, &b}) {
    for (float& x : *factor) x = static_cast<float>(random.normal());
  }
  for (const bool a_transposed : {false, true}) {
    for (const bool b_transposed : {false, true}) {
      gemm_reference(kM, kN, kK, a_transposed ? MatrixView{a.data(), 1, kM} : MatrixView{a.data(), kK, 1},
                     b_transposed ? MatrixView{b.data(), 1, kK} : MatrixView{b.data(), kN, 1}, ours.data(),
                     kN);
      for (const Peer& peer : peers()) {
        if (!peer.make_product) continue;
        const auto theirs =
            peer.make_product({kM, kN, kK, a.data(), a_transposed, b.data(), b_transposed}, GetParam());
        theirs->run();
        EXPECT_LT(largest_difference(theirs->outputs(), Tensor<float>({kM, kN}, ours)), 1e-4) << peer.name;
      }
    }
  }
}

}  // namespace
}  // namespace qlimit
