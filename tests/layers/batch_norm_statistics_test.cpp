#include "layers/batch_norm_statistics.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>

#include "core/random.h"
#include "layers/batch_norm2d.h"
#include "layers/conv2d.h"
#include "layers/dropout.h"
#include "layers/relu.h"
#include "layers/sequential.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

using Batches = std::vector<Tensor<Real>>;

Tensor<Real> images(uint64_t seed, double mean, double deviation) {
  Random random(seed, "images");
  Tensor<Real> batch({6, 4, 4, 2});
  for (Real& value : batch) value = static_cast<Real>(mean + deviation * random.normal());
  return batch;
}

void recompute(Layer& model, const Batches& batches) {
  size_t i = 0;
  recompute_statistics(model, [&](Tensor<Real>& next) {
    if (i == batches.size()) return false;
    next = batches[i++];
    return true;
  });
}

const Tensor<Real>& buffer(const std::vector<Buffer>& buffers, const std::string& name) {
  for (const Buffer& b : buffers)
    if (b.name == name) return b.tensor;
  throw std::out_of_range(name);
}

// Mean and unbiased variance of a channel, by their definitions.
std::pair<double, double> moments(const Tensor<Real>& batch, int64_t channel) {
  const int64_t channels = batch.dim(3), rows = batch.size() / channels;
  double mean = 0, square = 0;
  for (int64_t r = 0; r < rows; ++r) mean += batch[r * channels + channel] / static_cast<double>(rows);
  for (int64_t r = 0; r < rows; ++r) {
    const double d = batch[r * channels + channel] - mean;
    square += d * d / static_cast<double>(rows - 1);
  }
  return {mean, square};
}

TEST(RecomputeStatistics, AreTheMeanOfThoseOfAllBatches) {
  BatchNorm2D norm(2);
  norm(Variable::constant(images(9, 50, 9)));  // what was there before is forgotten
  const Batches batches = {images(1, 1, 2), images(2, -1, 1), images(3, 0.5, 3)};
  recompute(norm, batches);
  for (int64_t c = 0; c < 2; ++c) {
    double mean = 0, variance = 0;
    for (const Tensor<Real>& batch : batches) {
      mean += moments(batch, c).first / 3;
      variance += moments(batch, c).second / 3;
    }
    EXPECT_NEAR(buffer(norm.buffers(), "running_mean")[c], mean, 1e-5);
    EXPECT_NEAR(buffer(norm.buffers(), "running_variance")[c], variance, 1e-4);
  }
  EXPECT_EQ(norm.options().momentum, BatchNormOptions().momentum);
}

// The second norm sees what the first one makes of the batch with its new statistics.
TEST(RecomputeStatistics, MakeEvaluationLikeTrainingOnTheSameBatch) {
  Random random(5, "weights");
  Sequential model;
  model.add<Conv2D>(2, 3, Window{.kernel_h = 3, .kernel_w = 3}, false, random).add<BatchNorm2D>(3);
  model.add<ReLU>().add<Conv2D>(3, 2, Window{}, false, random).add<BatchNorm2D>(2);
  const Tensor<Real> batch = images(4, 3, 5);
  const Tensor<Real> wanted = model(Variable::constant(batch)).value();
  recompute(model, {batch});
  EXPECT_TRUE(model.training());
  const EvaluationMode evaluation(model);
  const Tensor<Real> found = model(Variable::constant(batch)).value();
  // The running variance is the unbiased one.
  for (int64_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(found[i], wanted[i], 0.05);
}

TEST(RecomputeStatistics, ChangeNothingElse) {
  Random random(6, "weights");
  Sequential model;
  model.add<Conv2D>(2, 3, Window{}, true, random).add<BatchNorm2D>(3).add<Dropout>(0.5, random);
  model.set_training(false);
  std::vector<Tensor<Real>> before;
  for (const Parameter& p : model.parameters()) before.push_back(p.variable.value().clone());
  const Random::State stream = model.random_streams().at(0).stream->state();
  recompute(model, {images(7, 0, 1), images(8, 0, 1)});
  for (size_t i = 0; i < before.size(); ++i) {
    const Tensor<Real> now = model.parameters()[i].variable.value();
    EXPECT_TRUE(std::equal(now.begin(), now.end(), before[i].begin()));
  }
  EXPECT_EQ(model.random_streams().at(0).stream->state().position, stream.position);
  EXPECT_FALSE(model.training());
}

TEST(RecomputeStatistics, HealWhatIsNotANumber) {
  BatchNorm2D sound(2), broken(2);
  for (const Buffer& held : broken.buffers()) {
    Tensor<Real> values = held.tensor;
    values[0] = std::numeric_limits<Real>::infinity();
    values[1] = std::numeric_limits<Real>::quiet_NaN();
  }
  for (BatchNorm2D* norm : {&sound, &broken}) recompute(*norm, {images(7, 0, 1), images(8, 0, 1)});
  for (const char* name : {"running_mean", "running_variance"})
    for (int64_t c = 0; c < 2; ++c)
      EXPECT_EQ(buffer(broken.buffers(), name)[c], buffer(sound.buffers(), name)[c]) << name;
}

TEST(RecomputeStatistics, NeedImages) {
  BatchNorm2D norm(2);
  expect_error([&] { recompute(norm, {}); }, ErrorKind::kUsage, {"no images"});
}

}  // namespace
}  // namespace qlimit
