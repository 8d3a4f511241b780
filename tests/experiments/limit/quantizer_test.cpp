#include "experiments/limit/quantizer.h"

#include <gtest/gtest.h>

#include "experiments/limit/layer_sensitivity.h"
#include "quant/cost.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qlimit {
namespace {

const NetKey kPlain = {.shape = "plain", .width = 4, .seed = 1};
const NetKey kSeparable = {.shape = "separable", .width = 4, .seed = 1};

// The nets of the tiny study, trained once for all tests.
class LimitQuantizer : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    data_ = new StudyData(load_study_data(plan(), "tiny"));
    for (const NetKey& key : {kPlain, kSeparable}) {
      TrainedNet net = new_net(plan(), key);
      train(net, plan(), *data_);
      save_net(path(key), net);
    }
  }
  static void TearDownTestSuite() {
    delete data_;
    delete folder_;
  }

  static StudyPlan plan() { return study_plan("tiny"); }
  static std::filesystem::path path(const NetKey& key) { return *folder_ / key.shape; }
  static Quantizer quantizer(const NetKey& key, int64_t images = 64) {
    return Quantizer(load_net(path(key), plan(), key), *data_, images);
  }

  static TemporaryFolder* folder_;
  static StudyData* data_;
};

TEST(LimitData, FewerImagesThanPlannedAreRefused) {
  StudyPlan plan = study_plan("tiny");
  plan.train_images = 1001;
  expect_error([&] { load_study_data(plan, "tiny"); }, ErrorKind::kData,
               {"too few images", "mnist_tiny", "expected 1001", "found 1000"});
}

TemporaryFolder* LimitQuantizer::folder_ = nullptr;
StudyData* LimitQuantizer::data_ = nullptr;

QuantizedGraph by(Quantizer& quantizer, const char* method, BitWidths bits) {
  return quantizer.quantize(limit_method(method).recipe, bits);
}

bool same_weights(const QuantizedGraph& a, const QuantizedGraph& b) {
  for (size_t i = 0; i < a.filters.size(); ++i)
    if (!std::equal(a.filters[i].weight.begin(), a.filters[i].weight.end(), b.filters[i].weight.begin()))
      return false;
  return true;
}

bool same_biases(const QuantizedGraph& a, const QuantizedGraph& b) {
  for (size_t i = 0; i < a.filters.size(); ++i)
    if (a.filters[i].bias != b.filters[i].bias) return false;
  return true;
}

TEST_F(LimitQuantizer, EightBitsKeepWhatWasLearned) {
  for (const NetKey& key : {kPlain, kSeparable}) {
    Quantizer q = quantizer(key);
    const int64_t fp32 = q.count_correct_fp32();
    EXPECT_GT(fp32, 20) << key.shape;  // of 100; chance is 10
    EXPECT_NEAR(static_cast<double>(q.count_correct(by(q, "min_max", {8, 8}))), static_cast<double>(fp32), 5);
  }
}

TEST_F(LimitQuantizer, WidthsAndScalesAreThoseAskedFor) {
  Quantizer q = quantizer(kSeparable);
  const QuantizedGraph channel = by(q, "min_max", {4, 3}), tensor = by(q, "min_max_tensor", {4, 3});
  for (size_t i = 0; i < channel.filters.size(); ++i) {
    if (channel.filters[i].weight.empty()) continue;
    EXPECT_EQ(channel.filters[i].bits, 4);
    EXPECT_EQ(channel.filters[i].scales.size(), channel.filters[i].bias.size());  // dense layers too
    EXPECT_EQ(tensor.filters[i].scales.size(), 1u);
    const ValueId output = channel.graph.nodes[i].output;
    EXPECT_EQ(channel.params_of(output).bits, output == channel.graph.output ? 8 : 3);
  }
}

// Each method changes what it is about, and that alone.
TEST_F(LimitQuantizer, MethodsDoWhatTheirNamesSay) {
  Quantizer q = quantizer(kSeparable);
  const BitWidths bits{4, 4};
  const QuantizedGraph plain = by(q, "min_max", bits);
  for (const char* name : {"moving_average", "percentile", "mse", "entropy"}) {
    const QuantizedGraph other = by(q, name, bits);
    EXPECT_NE(other.params, plain.params) << name;
    EXPECT_TRUE(same_weights(other, plain)) << name;
  }
  const QuantizedGraph weight_mse = by(q, "weight_mse", bits), both = by(q, "mse_both", bits);
  EXPECT_EQ(weight_mse.params, plain.params);
  EXPECT_FALSE(same_weights(weight_mse, plain));
  EXPECT_TRUE(same_weights(both, weight_mse));
  EXPECT_EQ(both.params, by(q, "mse", bits).params);
  const QuantizedGraph rounded = by(q, "adaround", bits);
  EXPECT_EQ(rounded.params, both.params);
  EXPECT_FALSE(same_weights(rounded, both));
  EXPECT_TRUE(same_biases(rounded, both));
  for (const char* name : {"bias", "bias_analytic"}) {
    const QuantizedGraph other = by(q, name, bits);
    EXPECT_TRUE(same_weights(other, plain)) << name;
    EXPECT_EQ(other.params, plain.params) << name;
    EXPECT_FALSE(same_biases(other, plain)) << name;
  }
  const QuantizedGraph equalized = by(q, "equalize_tensor", bits);
  EXPECT_FALSE(same_weights(equalized, by(q, "min_max_tensor", bits)));
  EXPECT_TRUE(same_weights(by(q, "equalize_bias_tensor", bits), equalized));
}

TEST_F(LimitQuantizer, MixedWidthsKeepTheBudget) {
  Quantizer q = quantizer(kPlain);
  int64_t last = 0;
  for (const int budget : {3, 4, 6}) {
    const QuantizedGraph mixed = by(q, "mixed", {budget, 8});
    const int64_t bytes = total_cost(mixed).constant_bytes;
    EXPECT_LE(bytes, total_cost(by(q, "min_max", {budget, 8})).constant_bytes) << budget;
    EXPECT_GE(bytes, last);
    last = bytes;
  }
}

TEST_F(LimitQuantizer, CalibrationImagesAreNestedAndDrawnBySeed) {
  const Quantizer few = quantizer(kPlain, 5), many = quantizer(kPlain, 50);
  const Tensor<float>& part = few.calibration_images();
  ASSERT_EQ(part.dim(0), 5);
  EXPECT_TRUE(std::equal(part.begin(), part.end(), many.calibration_images().begin()));
  TrainedNet other = new_net(plan(), {.shape = "plain", .width = 4, .seed = 2});
  const Quantizer drawn_otherwise(std::move(other), *data_, 5);
  EXPECT_FALSE(std::equal(part.begin(), part.end(), drawn_otherwise.calibration_images().begin()));
}

TEST_F(LimitQuantizer, OneLayerAtATime) {
  Quantizer q = quantizer(kSeparable);
  const LayersResult two = narrow_each_layer(q, 2), eight = narrow_each_layer(q, 8);
  EXPECT_EQ(two.int8, q.count_correct(by(q, "min_max", {8, 8})));
  // One convolution, five separable ones, two additions, mean and dense layer.
  ASSERT_EQ(two.layers.size(), 1u + 10u + 2u + 1u + 1u);
  EXPECT_EQ(two.layers.front().name, "conv2d_1");
  EXPECT_EQ(two.layers.back().name, "dense_1");
  for (size_t i = 0; i < two.layers.size(); ++i) {
    EXPECT_EQ(eight.layers[i].correct, eight.int8);
    EXPECT_LT(two.layers[i].sqnr_db, eight.layers[i].sqnr_db) << two.layers[i].name;
  }
}

TEST_F(LimitQuantizer, ArchivesOfOtherNetsAreRefused) {
  expect_error([&] { load_net(path(kPlain), plan(), kSeparable); }, ErrorKind::kData,
               {"another net", "separable/w4/s1", "plain/w4/s1"});
}

}  // namespace
}  // namespace qlimit
