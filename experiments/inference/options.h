// The command line of run_tflite.
//
//   run_tflite model_int8.tflite --data cifar10 --output logits.npy
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "quant/int8_kernels.h"
#include "quant/runtime.h"

namespace qlimit {

struct InferenceOptions {
  std::filesystem::path model = {};

  // What the model is run on (experiments/inference/examples.h)
  std::string data = {};              // empty: nothing, only the summary and the times
  std::filesystem::path labels = {};  // of an array
  std::string normalize = {};         // empty: what suits the data
  int64_t limit = 0;                  // 0: all images

  // What becomes of the results
  std::filesystem::path output = {};   // .npy
  std::filesystem::path layers = {};   // a folder; created
  std::filesystem::path against = {};  // .npy, or a folder
  double tolerance = 0;                // differences up to it are none

  // How it is run
  Runtime runtime = Runtime::kTflite;
  Kernels kernels = Kernels::kFast;
  int threads = 0;             // 0: all processors
  int64_t timed_calls = 1000;  // 0: no times
  bool json = false;           // the result as JSON on standard output, everything else on standard error
};

/// Reads the arguments (without the program's name). Prints the help to `out` and returns nothing if it is
/// asked for. Throws kUsage, in one line that names the option.
std::optional<InferenceOptions> parse_inference_options(const std::vector<std::string>& arguments,
                                                        std::ostream& out);

}  // namespace qlimit
