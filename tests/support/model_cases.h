// Recorded .tflite models: what they are given, and what TFLite's own interpreters make of it.
//
//   for (const ModelCase& c : read_model_cases(QLIMIT_SOURCE_DIR "/tests/golden/tflite_models/conv2d.gz"))
//     EXPECT_EQ(replay(c, Runtime::kLiteRt), c.litert) << c.name;
//
// The format is told in tests/golden/tflite_models/README.md; tests/parity makes and reads it too.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "quant/quantized_model.h"
#include "quant/runtime.h"

namespace qlimit {

struct ModelCase {
  std::string name;          // "conv2d/017"
  std::string model;         // the .tflite file
  std::string input;         // those of one or several runs, as they lie in memory
  std::string litert;        // as many outputs, of LiteRT's reference kernels
  std::string tflite_micro;  // and of TFLite Micro; empty if it cannot run the model
};

/// The cases of a file, gzipped or not. Throws kIo or kData if it cannot be read.
std::vector<ModelCase> read_model_cases(const std::filesystem::path& path);

/// The bytes of a value as it is stored.
size_t stored_bytes(const Value& value);

/// What the model makes of the inputs of one or several runs.
std::string run_stored(const QuantizedModel& model, std::string_view input);

/// Reads the case's file and runs it as `runtime` would.
std::string replay(const ModelCase& test_case, Runtime runtime, Kernels kernels = Kernels::kFast);

}  // namespace qlimit
