#include "quant/activation.h"

#include <limits>

namespace qlimit {

Bounds bounds_of(Activation activation) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  switch (activation) {
    case Activation::kRelu:
      return {.low = 0.0f, .high = kInfinity};
    case Activation::kRelu6:
      return {.low = 0.0f, .high = 6.0f};
    case Activation::kReluN1To1:
      return {.low = -1.0f, .high = 1.0f};
    case Activation::kNone:
      break;
  }
  return {.low = -kInfinity, .high = kInfinity};
}

const char* activation_name(Activation activation) {
  switch (activation) {
    case Activation::kNone:
      return "";
    case Activation::kRelu:
      return "relu";
    case Activation::kRelu6:
      return "relu6";
    case Activation::kReluN1To1:
      return "relu_n1_to_1";
  }
  return "";
}

}  // namespace qlimit
