// run_tflite as a user meets it: a model in a file, data, files out, comparisons, refusals.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/file.h"
#include "core/random.h"
#include "data/location.h"
#include "data/npy.h"
#include "experiments/measure.h"
#include "experiments/models.h"
#include "quant/calibrate.h"
#include "quant/float_executor.h"
#include "quant/passes.h"
#include "quant/quantized_model.h"
#include "quant/tflite/write.h"
#include "quant/trace.h"
#include "tests/data/made_png.h"
#include "tests/experiments/child.h"
#include "tests/experiments/inference/small_models.h"
#include "tests/support/temporary_folder.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;

// The network of mnist_cnn, its weights as they are before any training.
class RunTflite : public testing::Test {
 protected:
  using Arguments = std::vector<std::string>;

  static void SetUpTestSuite() {
    tiny_ = new DatasetPair(load_dataset("mnist", "tiny"));
    normalization_ = new Normalization(channel_statistics(tiny_->train));
    const Tensor<float> images = first_images(tiny_->train, *normalization_, 64);
    Random weights(1, "weights");
    const auto model = mnist_model(weights);
    model->set_training(false);
    Graph graph = trace(*model, images.shape());
    run_passes(graph);
    float_file_ = new std::string(write_tflite(graph).bytes);
    quantized_ = new QuantizedGraph(quantize(graph, calibrate(FloatExecutor(graph), images)));
    int8_file_ = new std::string(write_tflite(*quantized_).bytes);
  }
  static void TearDownTestSuite() {
    delete tiny_;
    delete normalization_;
    delete float_file_;
    delete quantized_;
    delete int8_file_;
  }

  RunTflite() {
    write_file(folder_ / "int8.tflite", *int8_file_);
    write_file(folder_ / "float.tflite", *float_file_);
  }

  // Untimed, unless the arguments say otherwise.
  Exit run(const std::string& model, const Arguments& more = {}) const {
    Arguments all = {QLIMIT_RUN_TFLITE, path(model), "--timed-calls", "0"};
    all.insert(all.end(), more.begin(), more.end());
    return Child(all, folder_ / "log").wait();
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  static void expect_contains(const std::string& text, const std::vector<std::string>& parts) {
    for (const std::string& part : parts)
      EXPECT_NE(text.find(part), std::string::npos) << part << " in:\n" << text;
  }
  // One line on standard error.
  static void expect_refusal(const Exit& exit, int status, const std::vector<std::string>& parts) {
    EXPECT_EQ(exit.status, status) << exit.err;
    EXPECT_EQ(std::count(exit.err.begin(), exit.err.end(), '\n'), 1) << exit.err;
    expect_contains(exit.err, parts);
  }

  static DatasetPair* tiny_;
  static Normalization* normalization_;
  static QuantizedGraph* quantized_;
  static std::string* float_file_;
  static std::string* int8_file_;
  TemporaryFolder folder_;
};

DatasetPair* RunTflite::tiny_ = nullptr;
Normalization* RunTflite::normalization_ = nullptr;
QuantizedGraph* RunTflite::quantized_ = nullptr;
std::string* RunTflite::float_file_ = nullptr;
std::string* RunTflite::int8_file_ = nullptr;

TEST_F(RunTflite, AModelAloneGetsSummaryAndTimes) {
  const Exit exit = run("int8.tflite", {"--timed-calls", "3"});
  ASSERT_EQ(exit.status, 0) << exit.err;
  EXPECT_EQ(exit.err, "");
  // Filters and biases: 72 + 8, 1,152 + 16, 7,840 + 10.
  expect_contains(exit.out, {"int8.tflite", "9,098 parameters", "[1,28,28,8]", "conv2d + relu", "max_pool2d",
                             "dense", "latency of a run", "3 runs", "examples/s", "Gop/s", "100.0 %"});
}

// What the experiments measure, measured on the file.
TEST_F(RunTflite, AccuracyIsThatOfTheExperiments) {
  const QuantizedModel model(*quantized_);
  const Engine engine{.name = "int8", .run = [&](const Tensor<float>& images) { return model.run(images); }};
  const Evaluation expected = evaluate(engine, tiny_->test, *normalization_);
  const Exit exit = run("int8.tflite", {"--data", "tiny", "--json"});
  ASSERT_EQ(exit.status, 0) << exit.err;
  const auto json = nlohmann::json::parse(exit.out);  // throws if anything else is there
  EXPECT_EQ(json["examples"], 200);
  EXPECT_DOUBLE_EQ(json["accuracy"], expected.accuracy);
  EXPECT_DOUBLE_EQ(json["standard_error"], expected.standard_error);
  EXPECT_EQ(json["file_bytes"], int8_file_->size());
  EXPECT_FALSE(json.contains("latency_us"));
  expect_contains(exit.err, {"accuracy: ", "of 200", "the statistics of mnist"});
}

TEST_F(RunTflite, OutputIsTheModelsOwnBytes) {
  ASSERT_EQ(run("int8.tflite", {"--data", "tiny", "--output", path("out.npy")}).status, 0);
  const QuantizedModel model(*quantized_);
  const Tensor<float> expected = model.run(first_images(tiny_->test, *normalization_, 200));
  const auto stored = std::get<Tensor<int8_t>>(read_npy(folder_ / "out.npy"));
  ASSERT_EQ(stored.shape(), expected.shape());
  const AffineParams grid = model.params(model.graph().output);
  for (int64_t i = 0; i < stored.size(); ++i) EXPECT_EQ(dequantize(stored[i], grid), expected[i]);
}

TEST_F(RunTflite, LayersAreEqualToThemselvesAndADamagedOneIsFound) {
  const Arguments data = {"--data", "tiny", "--limit", "5"};
  const auto with = [&](Arguments more) {
    more.insert(more.begin(), data.begin(), data.end());
    return run("int8.tflite", more);
  };
  ASSERT_EQ(with({"--layers", path("layers"), "--output", path("out.npy")}).status, 0);
  const Exit equal = with({"--against", path("layers")});
  EXPECT_EQ(equal.status, 0);
  expect_contains(equal.out, {"equal"});
  EXPECT_EQ(with({"--against", path("out.npy")}).status, 0);

  fs::path damaged;
  for (const auto& entry : fs::directory_iterator(folder_ / "layers")) {
    if (entry.path().filename().string().rfind("03_", 0) == 0) damaged = entry.path();
  }
  auto values = std::get<Tensor<int8_t>>(read_npy(damaged));
  values[0] = static_cast<int8_t>(values[0] ^ 1);
  write_npy(damaged, values);
  const Exit different = with({"--against", path("layers"), "--json"});
  EXPECT_EQ(different.status, 1);
  const auto json = nlohmann::json::parse(different.out);
  EXPECT_EQ(json["comparison"]["first_difference"], damaged.stem().string());
  expect_contains(different.err, {"1 of 7 tensors", damaged.stem().string(), "[0,0,0,0]"});
}

TEST_F(RunTflite, AnotherModelDiffersFromTheFirstLayerOn) {
  const Arguments write = {"--data", "tiny", "--limit", "3", "--layers", path("layers")};
  ASSERT_EQ(run("int8.tflite", write).status, 0);
  const Exit exit = run("float.tflite", {"--data", "tiny", "--limit", "3", "--against", path("layers")});
  EXPECT_EQ(exit.status, 1);
  expect_contains(exit.out, {"7 of 7 tensors", "00_", "float32 here, int8 there"});
}

TEST_F(RunTflite, FastKernelsEqualTheirDefinitionsInEveryLayer) {
  const Arguments data = {"--data", "tiny", "--limit", "20", "--kernels"};
  const auto with = [&](Arguments more) {
    more.insert(more.begin(), data.begin(), data.end());
    return run("int8.tflite", more);
  };
  // The fast ones compute a pool at once with its convolution, unless every layer is looked at: the output of
  // these ordinary runs is compared too.
  ASSERT_EQ(with({"reference", "--layers", path("layers"), "--output", path("out.npy")}).status, 0);
  const Exit exit = with({"fast", "--against", path("layers")});
  EXPECT_EQ(exit.status, 0) << exit.out;
  expect_contains(exit.out, {"05_output"});
  EXPECT_EQ(with({"fast", "--against", path("out.npy")}).status, 0);
}

TEST_F(RunTflite, AToleranceLetsFloatsPass) {
  ASSERT_EQ(run("float.tflite", {"--data", "tiny", "--output", path("out.npy")}).status, 0);
  auto values = std::get<Tensor<float>>(read_npy(folder_ / "out.npy"));
  for (float& x : values) x += 1e-3f;
  write_npy(folder_ / "out.npy", values);
  const Arguments compare = {"--data", "tiny", "--against", path("out.npy"), "--tolerance"};
  const auto within = [&](const char* tolerance) {
    Arguments all = compare;
    all.push_back(tolerance);
    return run("float.tflite", all).status;
  };
  EXPECT_EQ(within("0"), 1);
  EXPECT_EQ(within("0.0005"), 1);
  EXPECT_EQ(within("0.002"), 0);
}

TEST_F(RunTflite, APictureGetsAnAnswer) {
  const uint8_t* digit = tiny_->test.images.data();
  write_file(folder_ / "digit.png", made_png(28, 28, PngColour::kGrey, {digit, digit + 784}));
  ASSERT_EQ(run("int8.tflite", {"--data", "tiny", "--limit", "1", "--output", path("expected.npy")}).status,
            0);
  const Exit exit = run(
      "int8.tflite", {"--data", path("digit.png"), "--normalize", "tiny", "--against", path("expected.npy")});
  EXPECT_EQ(exit.status, 0) << exit.out;
  expect_contains(exit.out, {"largest outputs", "equal"});
  EXPECT_EQ(exit.err, "");
  // The pixels as they are reach from 0 to 255: far beyond the input's range.
  expect_contains(run("int8.tflite", {"--data", path("digit.png"), "--normalize", "none"}).err,
                  {"--normalize right?"});
}

TEST_F(RunTflite, GroupsOfABatchAreTheSameAsSingles) {
  write_file(folder_ / "one.tflite", write_tflite(int8_model(picking_graph(6)).quantized()).bytes);
  write_file(folder_ / "four.tflite", write_tflite(int8_model(picking_graph(6, 4)).quantized()).bytes);
  Tensor<float> x({7, 6});
  for (int64_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i) / 50 - 0.3f;
  write_npy(folder_ / "x.npy", x);
  ASSERT_EQ(run("one.tflite", {"--data", path("x.npy"), "--output", path("one.npy")}).status, 0);
  EXPECT_EQ(run("four.tflite", {"--data", path("x.npy"), "--against", path("one.npy")}).status, 0);
}

TEST_F(RunTflite, LabelsThatAreNoClassesGiveNoAccuracy) {
  write_npy(folder_ / "labels.npy", Tensor<int64_t>({2}, {3, 10}));
  write_npy(folder_ / "x.npy", Tensor<uint8_t>({2, 28, 28, 1}));
  const Exit exit =
      run("int8.tflite", {"--data", path("x.npy"), "--labels", path("labels.npy"), "--normalize", "tiny"});
  EXPECT_EQ(exit.status, 0);
  expect_contains(exit.out, {"accuracy: none"});
}

TEST_F(RunTflite, RefusesInOneLine) {
  write_file(folder_ / "garbage.tflite", "this is no model");
  write_file(folder_ / "cut.tflite", int8_file_->substr(0, int8_file_->size() / 2));
  expect_refusal(run("nowhere.tflite"), 1, {"run_tflite: ", "nowhere.tflite"});
  expect_refusal(run("garbage.tflite"), 1, {"run_tflite: ", "garbage.tflite"});
  expect_refusal(run("cut.tflite"), 1, {"run_tflite: ", "cut.tflite"});
  expect_refusal(run("int8.tflite", {"--output", "x.npy"}), 2, {"--output", "--data"});
  expect_refusal(run("int8.tflite", {"--data", "imagenet"}), 2, {"imagenet", "cifar10"});
  expect_refusal(run("int8.tflite", {"--data", "tiny", "--against", path("nowhere.npy")}), 1,
                 {"nowhere.npy"});
  expect_refusal(run("int8.tflite", {"--data", "tiny", "--output", "/dev/null/x.npy"}), 1,
                 {"/dev/null/x.npy"});
}

}  // namespace
}  // namespace qlimit
