// Which runtime's last bit is wanted.
//
// An 8-bit model says what is computed up to rounding; where runtimes round differs, by one step but for a
// relu6 by itself. The differences known to us, each from the source named:
//
//                    kTflite            kLiteRt        kTfliteMicro        kSingleRounding
//   accumulators     rounded twice      as kTflite     as kTflite          rounded once (fixed_point.h)
//   dense            fixed point        float64        fixed point         fixed point
//   dense, its M     float32 product    double         double              float32 product
//   mul, its M       float32            float32        double              float32
//   relu, its M      float32            float32        double              float32
//   logistic, tanh   float table        float table    fixed point         float table
//   relu6 by itself  rescales, clamps   as kTflite     only clamps         as kTflite
#pragma once

#include <string_view>

#include "quant/fixed_point.h"

namespace qlimit {

enum class Runtime {
  kTflite,          // TensorFlow Lite's reference kernels up to TensorFlow 2.19
  kLiteRt,          // those of LiteRT from version 1.3 on (integer_ops/fully_connected.h)
  kTfliteMicro,     // TensorFlow Lite for Microcontrollers (micro/kernels)
  kSingleRounding,  // a build of TFLite with TFLITE_SINGLE_ROUNDING, and ruy
};

/// How accumulators are rounded there.
constexpr Rounding rounding_of(Runtime runtime) {
  switch (runtime) {
    case Runtime::kLiteRt:
      return Rounding::kFloat64;
    case Runtime::kSingleRounding:
      return Rounding::kSingle;
    case Runtime::kTflite:
    case Runtime::kTfliteMicro:
      break;
  }
  return Rounding::kDouble;
}

/// "tflite", "litert", "tflite_micro", "single_rounding".
constexpr std::string_view to_string(Runtime runtime) {
  switch (runtime) {
    case Runtime::kLiteRt:
      return "litert";
    case Runtime::kTfliteMicro:
      return "tflite_micro";
    case Runtime::kSingleRounding:
      return "single_rounding";
    case Runtime::kTflite:
      break;
  }
  return "tflite";
}

}  // namespace qlimit
