// What a model is run on: a data set, pictures, or an array, and how its bytes become the model's input.
//
//   Examples examples = load_examples({.data = "cifar10"}, {1, 32, 32, 3});
//   InputEncoder encoder(examples, DataType::kInt8, model.params(model.graph().input));
//   encoder.encode(0, 100, buffer);         // the first hundred images, as the model's own bytes
//
// Our models expect pixels normalized by the statistics of their training images; others expect x/255, bytes,
// or something else, and no .tflite file says which. So it is an option, with a default that suits our models
// on their data sets.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/normalize.h"
#include "data/npy.h"
#include "quant/affine.h"
#include "quant/graph.h"

namespace qlimit {

/// What a user said about the data (experiments/inference/options.h).
struct ExamplesRequest {
  std::string data;                   // name of a data set, folder, .png or .npy
  std::filesystem::path labels = {};  // .npy, for an array
  std::string normalize = {};         // dataset, name of a data set, unit, none, MEAN/STD; empty: the default
  int64_t limit = 0;                  // 0: all
};

struct Examples {
  std::string name = {};             // "cifar10, test images"
  NpyArray values = {};              // [N,...]: uint8 pixels; or float32 or int8, as the model takes them
  std::vector<int64_t> labels = {};  // N, or empty
  std::vector<std::string> class_names = {};  // empty if unknown
  Normalization normalization = {};           // of pixels
  std::string normalization_name = {};        // "the statistics of cifar10"; empty for other values

  int64_t size() const { return shape_of(values)[0]; }
  bool pixels() const { return std::holds_alternative<Tensor<uint8_t>>(values); }
};

/// Reads them for a model with this input [B,...], B being the batch that its graph is written for. A single
/// example may leave out the N. An example has the input's shape, if axes of size 1 are left out, or the
/// input is flat. Throws kUsage for a request that makes no sense, kData for examples that do not fit the
/// input, and what reading throws.
Examples load_examples(const ExamplesRequest& request, const Shape& input);

/// Turns examples into what a model stores in its input.
class InputEncoder {
 public:
  /// type, params: of the model's input; the parameters matter for int8 only. The examples must outlive the
  /// encoder. Throws kUsage for int8 examples if the input is float.
  InputEncoder(const Examples& examples, DataType type, AffineParams params);

  /// Writes examples first to first + count - 1: pixels are normalized, floats are quantized if the input is
  /// int8, int8 is copied.
  void encode(int64_t first, int64_t count, void* to) const;

  /// If pixels cover less than half of what an int8 input can hold, or twice as much: a sentence that doubts
  /// the normalization. Else empty.
  std::string doubt() const;

 private:
  template <typename T>
  void encode_pixels(const std::vector<T>& table, int64_t first, int64_t count, T* to) const;

  const Examples& examples_;
  DataType type_;
  AffineParams params_;
  int64_t size_;                   // numbers of one example
  int64_t channels_ = 1;           // of pixels
  std::vector<float> real_;        // [C,256] what a pixel means
  std::vector<int8_t> quantized_;  // [C,256] the same, as int8
};

}  // namespace qlimit
