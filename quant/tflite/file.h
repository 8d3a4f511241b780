// A .tflite file as plain, checked data: the first half of reading one, and the only part that touches bytes
// which somebody else has written.
//
// A file is untrusted: it may be cut short, damaged, or made to do harm. Whatever comes out of parse_tflite
// is safe to work with: every number of a tensor, buffer or operator exists, constants are as long as their
// shape says, scales are positive, enumerations have known values. What the operations mean, and whether
// their tensors fit together, is the other half's business (quant/tflite/read.h).
//
//   TfliteModel model = parse_tflite(bytes, "model.tflite");
//   for (const TfliteOperator& op : model.operators) std::cout << op.name << '\n';  // CONV_2D ...
//
// The format: quant/tflite/schema.fbs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/window.h"
#include "quant/fixed_point.h"

namespace qlimit {

/// The element types that the reader knows, by their numbers in the file; a tensor may have another one.
enum class TfliteType : int8_t { kFloat32 = 0, kInt32 = 2, kInt64 = 4, kInt8 = 9, kInt4 = 17 };

/// "INT8"; "type 77" for a number without a name.
std::string to_string(TfliteType type);
/// The bytes of so many elements of a constant: of INT4 two lie in one. None for types that the reader does
/// not know.
std::optional<int64_t> constant_bytes(TfliteType type, int64_t elements);

struct TfliteTensor {
  std::string name;  // printable, at most 60 characters; "tensor 7" for one without a name
  TfliteType type = TfliteType::kFloat32;
  std::vector<int64_t> shape;  // no dimension is negative, their product is at most kMaxElements
  int64_t elements = 1;
  // As many zero points as scales: none, one, or shape[quantized_dimension].
  std::vector<float> scales;  // normal and positive, except of INT32
  std::vector<int32_t> zero_points;
  int quantized_dimension = 0;
  std::span<const std::byte> data = {};  // of a constant: constant_bytes(type, elements); not aligned

  bool is_constant() const { return !data.empty(); }
};

/// The options of the operations; those without a struct here have none that matter.
namespace tflite_options {
struct Conv2D {
  Window window;  // its kernel is that of the weights
  Activation activation = Activation::kNone;
};
struct DepthwiseConv2D {
  Window window;  // the same
  Activation activation = Activation::kNone;
  int64_t multiplier = 0;
};
struct Pool2D {
  Window window;
  Activation activation = Activation::kNone;
};
struct FullyConnected {
  Activation activation = Activation::kNone;
  bool keep_num_dims = false;
};
struct Softmax {
  float beta = 0.0f;
};
struct Add {
  Activation activation = Activation::kNone;
};
struct Mul {
  Activation activation = Activation::kNone;
};
struct Concatenation {
  int axis = 0;
  Activation activation = Activation::kNone;
};
struct Reshape {
  std::vector<int64_t> shape;
};
struct Mean {
  bool keep_dims = false;
};
/// No options, or some of an operation that is not supported.
struct None {};
}  // namespace tflite_options

using TfliteOptions =
    std::variant<tflite_options::None, tflite_options::Conv2D, tflite_options::DepthwiseConv2D,
                 tflite_options::Pool2D, tflite_options::FullyConnected, tflite_options::Softmax,
                 tflite_options::Add, tflite_options::Mul, tflite_options::Concatenation,
                 tflite_options::Reshape, tflite_options::Mean>;

struct TfliteOperator {
  int32_t code = 0;             // schema.fbs, BuiltinOperator
  std::string name;             // "CONV_2D"; "CUSTOM 'Foo'"
  std::vector<int32_t> inputs;  // places in TfliteModel::tensors; -1 for an optional one that is not there
  std::vector<int32_t> outputs;
  TfliteOptions options;
};

struct TfliteModel {
  std::string file;                     // its name, for messages
  std::shared_ptr<const void> storage;  // an aligned copy of the bytes; tensors' data lie in it
  int64_t bytes = 0;
  std::vector<TfliteTensor> tensors;
  std::vector<TfliteOperator> operators;  // in the order in which they run
  std::vector<int32_t> inputs;
  std::vector<int32_t> outputs;

  // What a file may hold at most. Flatbuffers may point to one table many times, so the sum of what is
  // decoded is limited too: kMaxRepetition times the file, and kFreeBytes for small ones.
  static constexpr int64_t kMaxBytes = int64_t{1} << 30;
  static constexpr int64_t kMaxElements = int64_t{1} << 28;
  static constexpr int64_t kMaxTensors = int64_t{1} << 14;
  static constexpr int64_t kMaxOperators = int64_t{1} << 12;
  static constexpr int64_t kMaxRank = 8;
  static constexpr int64_t kMaxRepetition = 16;
  static constexpr int64_t kFreeBytes = int64_t{1} << 20;
};

/// `file` is its name in messages. Throws kData for bytes that are not a sound .tflite file, kUnsupported for
/// one with several subgraphs, sparse or variable tensors, constants in other files or behind the flatbuffer.
TfliteModel parse_tflite(std::string_view bytes, const std::string& file);

/// Text from a file, fit for a message of one line: what is not printable becomes '?', and it is cut at 60
/// characters.
std::string printable(std::string_view text);

}  // namespace qlimit
