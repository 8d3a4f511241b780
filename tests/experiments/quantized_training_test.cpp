// Training with quantization as a user does it, on the digits that come with the sources.
#include <gtest/gtest.h>

#include <memory>

#include "core/parallel.h"
#include "data/location.h"
#include "experiments/checkpoint.h"
#include "experiments/limit/nets.h"
#include "experiments/measure.h"
#include "experiments/quantization.h"
#include "quant/calibrate.h"
#include "quant/passes.h"
#include "quant/trace.h"
#include "quant/training/fake_quantized_model.h"
#include "tests/support/temporary_folder.h"

namespace qlimit {
namespace {

/// A small net that has learned the digits in float, once for all tests.
class QuantizedTraining : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    data_ = new DatasetPair(load_dataset("mnist", "tiny"));
    normalization_ = channel_statistics(data_->train);
    Random random(1, "weights");
    const auto net = plain_model(6, random, 1);
    Training training(*net, data_->train, normalization_, {.epochs = 15, .batch_size = 64, .seed = 1});
    train(training);
    graph_ = new Graph(trace(*net, {1, 28, 28, 1}));
  }
  static void TearDownTestSuite() {
    delete data_;
    delete graph_;
  }

  static void train(Training& training, int64_t epochs = INT64_MAX) {
    Progress silent(stdout, ProgressStyle::kQuiet, training.settings().epochs, training.images_per_epoch());
    while (!training.finished() && training.epochs_done() < epochs) {
      silent.begin_epoch(training.epochs_done() + 1);
      training.end_epoch(training.run_epoch(silent));
    }
  }

  static Tensor<float> images() { return first_images(data_->train, normalization_, 64); }

  static std::unique_ptr<FakeQuantizedModel> fake(int bits, GridScheme scheme) {
    return std::make_unique<FakeQuantizedModel>(
        *graph_, images(),
        FakeQuantizedOptions{.weight_bits = bits,
                             .activation_bits = bits,
                             .dense_weights = Granularity::kPerChannel,
                             .scheme = scheme});
  }
  static TrainingSettings settings() {
    return {.epochs = 12, .batch_size = 32, .learning_rate = 5e-3, .seed = 2};
  }

  static double accuracy(const Engine& engine) {
    return evaluate(engine, data_->test, normalization_).accuracy;
  }
  static double accuracy(const QuantizedGraph& q) {
    return accuracy(make_engine("integers", std::make_shared<const QuantizedModel>(q)));
  }
  /// Without training, by minimum and maximum.
  static double post_training_accuracy(int bits) {
    Graph graph = *graph_;
    run_passes(graph);
    const Ranges ranges = calibrate(FloatExecutor(graph), images());
    return accuracy(
        quantize(graph, ranges,
                 {.dense_weights = Granularity::kPerChannel, .weight_bits = bits, .activation_bits = bits}));
  }

  static DatasetPair* data_;
  static Normalization normalization_;
  static Graph* graph_;
};

DatasetPair* QuantizedTraining::data_ = nullptr;
Normalization QuantizedTraining::normalization_;
Graph* QuantizedTraining::graph_ = nullptr;

// What a few bits lose is won back, and the integers answer as the net that was trained: of 200 images a
// single one may be decided by a rounding.
TEST_F(QuantizedTraining, WinsBackWhatFewBitsLose) {
  Graph folded = *graph_;
  run_passes(folded);
  const double fp32 = accuracy(make_engine("fp32", std::make_shared<const FloatExecutor>(folded)));
  EXPECT_GT(fp32, 0.85);
  for (const int bits : {3, 2}) {
    const double lost = post_training_accuracy(bits);
    EXPECT_LT(lost, fp32 - 0.15) << bits;
    for (const GridScheme scheme : {GridScheme::kMinMax, GridScheme::kLearned}) {
      const auto model = fake(bits, scheme);
      Training training(*model, data_->train, normalization_, settings());
      train(training);
      const double trained = accuracy(training_graph(*model));
      EXPECT_GT(trained, lost + (fp32 - lost) / 2) << bits << " bits, was " << lost;
      EXPECT_NEAR(accuracy(model->convert()), trained, 0.0051) << bits;
    }
  }
}

TEST_F(QuantizedTraining, GoesOnFromACheckpointWithAnyNumberOfThreads) {
  const TemporaryFolder folder;
  for (const GridScheme scheme : {GridScheme::kMinMax, GridScheme::kLearned}) {
    std::vector<std::string> fingerprints;
    for (const int threads : {1, 2}) {
      set_thread_count(threads);
      TrainingSettings two = settings();
      two.epochs = 2;
      const auto whole = fake(4, scheme);
      Training training(*whole, data_->train, normalization_, two);
      train(training, 1);
      save_checkpoint(folder / "checkpoint.qla", training);
      train(training);
      const auto resumed = fake(4, scheme);
      Training rest(*resumed, data_->train, normalization_, two);
      load_checkpoint(folder / "checkpoint.qla", rest);
      train(rest);
      fingerprints.push_back(QuantizedModel(whole->convert()).fingerprint());
      fingerprints.push_back(QuantizedModel(resumed->convert()).fingerprint());
    }
    set_thread_count(1);
    for (const std::string& fingerprint : fingerprints) EXPECT_EQ(fingerprint, fingerprints[0]);
  }
}

}  // namespace
}  // namespace qlimit
