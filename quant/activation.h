// A clamp fused into an operation's output: which there are, and between which numbers.
#pragma once

namespace qlimit {

enum class Activation { kNone, kRelu, kRelu6, kReluN1To1 };

/// The numbers that an activation lets pass.
struct Bounds {
  float low;
  float high;

  float clamp(float x) const { return x < low ? low : x > high ? high : x; }
};

/// Infinite where there is no bound.
Bounds bounds_of(Activation activation);

/// "relu", "relu6", "relu_n1_to_1", or nothing.
const char* activation_name(Activation activation);

}  // namespace qlimit
