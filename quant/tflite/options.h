// Internal to quant/tflite: the options of an operator, from the tables of the file to plain structs.
#pragma once

#include <string>

#include "quant/tflite/file.h"
#include "quant/tflite/schema_generated.h"

namespace qlimit {

/// `where` names the operator. Throws kData for a value that the format does not know, kUnsupported for fused
/// activations other than clamps and for shuffled weights.
TfliteOptions decode_options(const tflite::Operator& op, const std::string& where);

}  // namespace qlimit
