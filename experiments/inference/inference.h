// The program run_tflite, less its command line: reads a model, runs it on what is wanted, reports.
#pragma once

#include "experiments/inference/options.h"

namespace qlimit {

/// Returns the exit status: 1 if a comparison found a difference. Throws kUsage, kData, kUnsupported, kIo.
int run_inference(const InferenceOptions& options);

}  // namespace qlimit
