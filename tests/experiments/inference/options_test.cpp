#include "experiments/inference/options.h"

#include <sstream>

#include "core/file.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qlimit {
namespace {

using Arguments = std::vector<std::string>;

InferenceOptions parsed(const Arguments& arguments) {
  std::ostringstream out;
  return parse_inference_options(arguments, out).value();
}

void expect_refusal(const Arguments& arguments, const std::vector<std::string>& parts) {
  expect_error([&] { parsed(arguments); }, ErrorKind::kUsage, parts);
}

TEST(InferenceOptions, AModelIsEnough) {
  const InferenceOptions o = parsed({"model.tflite"});
  EXPECT_EQ(o.model, "model.tflite");
  EXPECT_EQ(o.data, "");
  EXPECT_EQ(o.runtime, Runtime::kTflite);
  EXPECT_EQ(o.kernels, Kernels::kFast);
  EXPECT_EQ(o.timed_calls, 1000);
  EXPECT_EQ(o.limit, 0);
  EXPECT_FALSE(o.json);
}

TEST(InferenceOptions, EveryOptionIsRead) {
  const InferenceOptions o =
      parsed({"--data",  "images.npy", "m.tflite", "--labels",      "labels.npy", "--normalize",
              "0.5/0.5", "--limit",    "10",       "--output",      "out.npy",    "--layers",
              "layers",  "--against",  "theirs",   "--tolerance",   "0.25",       "--runtime",
              "micro",   "--threads",  "2",        "--timed-calls", "7",          "--json"});
  EXPECT_EQ(o.model, "m.tflite");
  EXPECT_EQ(o.data, "images.npy");
  EXPECT_EQ(o.labels, "labels.npy");
  EXPECT_EQ(o.normalize, "0.5/0.5");
  EXPECT_EQ(o.limit, 10);
  EXPECT_EQ(o.output, "out.npy");
  EXPECT_EQ(o.layers, "layers");
  EXPECT_EQ(o.against, "theirs");
  EXPECT_EQ(o.tolerance, 0.25);
  EXPECT_EQ(o.runtime, Runtime::kTfliteMicro);
  EXPECT_EQ(o.threads, 2);
  EXPECT_EQ(o.timed_calls, 7);
  EXPECT_TRUE(o.json);
}

TEST(InferenceOptions, EveryRuntimeHasAName) {
  const auto runtime = [](const std::string& name) { return parsed({"m", "--runtime", name}).runtime; };
  EXPECT_EQ(runtime("tflite"), Runtime::kTflite);
  EXPECT_EQ(runtime("litert"), Runtime::kLiteRt);
  EXPECT_EQ(runtime("micro"), Runtime::kTfliteMicro);
  EXPECT_EQ(runtime("single"), Runtime::kSingleRounding);
  expect_refusal({"m", "--runtime", "gpu"}, {"--runtime", "gpu", "micro"});
}

TEST(InferenceOptions, KernelsAreFastOrReference) {
  EXPECT_EQ(parsed({"m", "--kernels", "reference"}).kernels, Kernels::kReference);
  expect_refusal({"m", "--kernels", "slow"}, {"--kernels", "slow", "reference"});
}

TEST(InferenceOptions, MistakesAreNamed) {
  expect_refusal({}, {"MODEL"});
  expect_refusal({"a.tflite", "b.tflite"}, {"b.tflite"});
  expect_refusal({"m", "--dat", "x"}, {"--dat", "--data", "--against"});
  expect_refusal({"m", "--limit", "-1"}, {"--limit"});
  expect_refusal({"m", "--timed-calls", "many"}, {"--timed-calls", "many"});
  expect_refusal({"m", "--data", "d", "--against", "o.npy", "--tolerance", "nan"}, {"--tolerance"});
}

TEST(InferenceOptions, WhatNeedsDataSaysSo) {
  for (const char* option : {"--labels", "--normalize", "--limit", "--output", "--layers", "--against"})
    expect_refusal({"m", option, "1"}, {option, "--data"});
  expect_refusal({"m", "--data", "d", "--tolerance", "1"}, {"--tolerance", "--against"});
}

TEST(InferenceOptions, WhatIsComparedWithIsNotOverwritten) {
  const TemporaryFolder folder;
  write_file(folder / "theirs.npy", "kept");
  const std::string file = folder / "theirs.npy", again = folder / "." / "theirs.npy";
  expect_refusal({"m", "--data", "d", "--output", again, "--against", file}, {"--output", "overwrite"});
  expect_refusal({"m", "--data", "d", "--layers", folder.path(), "--against", folder.path()},
                 {"--layers", "overwrite"});
  expect_refusal({"m", "--data", "d", "--output", folder / "07_x.npy", "--against", folder.path()},
                 {"--output", "overwrite"});
  expect_refusal({"m", "--data", "d", "--layers", folder.path(), "--against", file},
                 {"--layers", "overwrite"});
  EXPECT_NO_THROW(parsed({"m", "--data", "d", "--output", folder / "ours.npy", "--against", file}));
}

TEST(InferenceOptions, HelpExplainsDataAndNormalization) {
  std::ostringstream out;
  EXPECT_FALSE(parse_inference_options({"--help"}, out).has_value());
  for (const char* part :
       {"MODEL", "--against", "IMAGE.png", "FOLDER", "MEAN/STD", "QLIMIT_ISA", "Examples:"})
    EXPECT_NE(out.str().find(part), std::string::npos) << part;
}

}  // namespace
}  // namespace qlimit
