#include "quant/tflite/file.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/error.h"
#include "core/memory.h"
#include "quant/affine.h"
#include "quant/tflite/options.h"
#include "quant/tflite/schema_generated.h"

namespace qlimit {
namespace {

// Deep enough for every table of the format.
constexpr flatbuffers::uoffset_t kMaxDepth = 16;
constexpr flatbuffers::uoffset_t kMaxTables = 16 * TfliteModel::kMaxTensors;

template <typename T>
int64_t count(const flatbuffers::Vector<T>* vector) {
  return vector == nullptr ? 0 : static_cast<int64_t>(vector->size());
}

// Fills a TfliteModel, table by table.
class Parser {
 public:
  Parser(const tflite::Model& source, TfliteModel& model)
      : source_(source),
        model_(model),
        budget_(TfliteModel::kMaxRepetition * model.bytes + TfliteModel::kFreeBytes) {}

  void run();

 private:
  [[noreturn]] void fail(ErrorKind kind, const std::string& what, const std::string& where = {},
                         const std::string& expected = {}, const std::string& found = {}) const {
    throw Error(kind, {.what = what,
                       .where = where.empty() ? model_.file : concat(model_.file, ", ", where),
                       .expected = expected,
                       .found = found});
  }
  void expect_at_most(int64_t most, int64_t found, const std::string& what,
                      const std::string& where = {}) const {
    if (found > most) fail(ErrorKind::kData, what, where, concat("at most ", most), concat(found));
  }
  // Called before each vector of the file is copied, so that a small file cannot fill the memory.
  void spend(int64_t bytes) {
    budget_ -= bytes;
    if (budget_ < 0) fail(ErrorKind::kData, "the tables of the file repeat each other too often");
  }

  const tflite::SubGraph& only_subgraph() const;
  TfliteTensor tensor(const tflite::Tensor& from, int64_t index);
  void read_shape(const tflite::Tensor& from, TfliteTensor& to, const std::string& where) const;
  void read_quantization(const tflite::QuantizationParameters& from, TfliteTensor& to,
                         const std::string& where);
  void read_data(const tflite::Tensor& from, TfliteTensor& to, const std::string& where) const;
  TfliteOperator operation(const tflite::Operator& from, int64_t index);
  std::vector<int32_t> tensor_numbers(const flatbuffers::Vector<int32_t>* from, int32_t least,
                                      const std::string& where);

  const tflite::Model& source_;
  TfliteModel& model_;
  int64_t budget_;
};

void Parser::run() {
  if (source_.version() != 3) {
    fail(ErrorKind::kUnsupported, "the file has another version of the format", "", "3",
         concat(source_.version()));
  }
  const tflite::SubGraph& graph = only_subgraph();
  expect_at_most(TfliteModel::kMaxTensors, count(graph.tensors()), "too many tensors");
  expect_at_most(TfliteModel::kMaxOperators, count(graph.operators()), "too many operators");
  // Operators first: that one is not supported says more than what is strange about its tensors.
  const int64_t tensors = count(graph.tensors());
  model_.tensors.resize(static_cast<size_t>(tensors));
  for (int64_t i = 0; i < count(graph.operators()); ++i) {
    model_.operators.push_back(operation(*graph.operators()->Get(static_cast<flatbuffers::uoffset_t>(i)), i));
  }
  for (int64_t i = 0; i < tensors; ++i) {
    model_.tensors[static_cast<size_t>(i)] =
        tensor(*graph.tensors()->Get(static_cast<flatbuffers::uoffset_t>(i)), i);
  }
  model_.inputs = tensor_numbers(graph.inputs(), 0, "inputs");
  model_.outputs = tensor_numbers(graph.outputs(), 0, "outputs");
}

const tflite::SubGraph& Parser::only_subgraph() const {
  const int64_t graphs = count(source_.subgraphs());
  if (graphs == 0) fail(ErrorKind::kData, "the file holds no graph");
  if (graphs > 1) {
    const flatbuffers::String* name = source_.subgraphs()->Get(1)->name();
    fail(ErrorKind::kUnsupported, "control flow is not supported", "", "one subgraph",
         concat(graphs, ", the second is '", name ? printable(name->string_view()) : "", "'"));
  }
  return *source_.subgraphs()->Get(0);
}

TfliteTensor Parser::tensor(const tflite::Tensor& from, int64_t index) {
  TfliteTensor to;
  to.name = from.name() && from.name()->size() > 0 ? printable(from.name()->string_view())
                                                   : concat("tensor ", index);
  to.type = static_cast<TfliteType>(from.type());
  const std::string where = concat("tensor ", index, " '", to.name, "'");
  if (from.sparsity()) fail(ErrorKind::kUnsupported, "sparse tensors are not supported", where);
  if (from.is_variable()) fail(ErrorKind::kUnsupported, "variables are not supported", where);
  if (from.external_buffer() != 0)
    fail(ErrorKind::kUnsupported, "constants in other files are not supported", where);
  read_shape(from, to, where);
  if (from.quantization()) read_quantization(*from.quantization(), to, where);
  read_data(from, to, where);
  return to;
}

void Parser::read_shape(const tflite::Tensor& from, TfliteTensor& to, const std::string& where) const {
  expect_at_most(TfliteModel::kMaxRank, count(from.shape()), "a tensor has too many dimensions", where);
  for (int64_t i = 0; i < count(from.shape()); ++i) {
    const int64_t dim = from.shape()->Get(static_cast<flatbuffers::uoffset_t>(i));
    if (dim < 0)
      fail(ErrorKind::kUnsupported, "a dimension that the file leaves open", where, "", concat(dim));
    if (dim > 0 && to.elements > TfliteModel::kMaxElements / dim) {
      fail(ErrorKind::kUnsupported, "a tensor has too many elements", where,
           concat("at most ", TfliteModel::kMaxElements), concat(to.elements, " times ", dim));
    }
    to.shape.push_back(dim);
    to.elements *= dim;
  }
}

void Parser::read_quantization(const tflite::QuantizationParameters& from, TfliteTensor& to,
                               const std::string& where) {
  if (from.details_type() != tflite::QuantizationDetails::NONE) {
    fail(ErrorKind::kUnsupported, "quantization other than by scale and zero point is not supported", where);
  }
  const int64_t scales = count(from.scale());
  if (scales == 0) return;
  if (count(from.zero_point()) != scales) {
    fail(ErrorKind::kData, "scales and zero points differ in number", where, concat(scales),
         concat(count(from.zero_point())));
  }
  const int64_t axis = from.quantized_dimension();
  const bool axis_exists = axis >= 0 && axis < static_cast<int64_t>(to.shape.size());
  if (scales > 1 && (!axis_exists || to.shape[static_cast<size_t>(axis)] != scales)) {
    fail(ErrorKind::kData, "wrong number of scales", where,
         axis_exists ? concat("1 or ", to.shape[static_cast<size_t>(axis)]) : "1",
         concat(scales, " along dimension ", axis));
  }
  to.quantized_dimension = axis_exists ? static_cast<int>(axis) : 0;
  spend(scales * static_cast<int64_t>(sizeof(float) + sizeof(int32_t)));
  // Those of biases are products of two others, which may be as small as they like: nobody computes with
  // them.
  const bool is_bias = to.type == TfliteType::kInt32;
  for (const float scale : *from.scale()) {
    if (!is_bias && (!std::isnormal(scale) || scale < 0)) {
      fail(ErrorKind::kData, "a scale is not a positive number", where, "", concat(scale));
    }
    to.scales.push_back(scale);
  }
  const bool is_int8 = to.type == TfliteType::kInt8;
  const int64_t least = is_int8 ? kInt8Min : std::numeric_limits<int32_t>::min();
  const int64_t most = is_int8 ? kInt8Max : std::numeric_limits<int32_t>::max();
  for (int64_t i = 0; i < scales; ++i) {
    // The verifier lets a vector's elements stand at any multiple of 4.
    int64_t zero_point = 0;
    std::memcpy(&zero_point, from.zero_point()->Data() + i * static_cast<int64_t>(sizeof(zero_point)),
                sizeof(zero_point));
    if (zero_point < least || zero_point > most) {
      fail(ErrorKind::kData, "a zero point is out of range", where, concat(least, " to ", most),
           concat(zero_point));
    }
    to.zero_points.push_back(static_cast<int32_t>(zero_point));
  }
}

void Parser::read_data(const tflite::Tensor& from, TfliteTensor& to, const std::string& where) const {
  if (from.buffer() >= count(source_.buffers())) {
    fail(ErrorKind::kData, "a buffer does not exist", where, concat("below ", count(source_.buffers())),
         concat(from.buffer()));
  }
  const tflite::Buffer& buffer = *source_.buffers()->Get(from.buffer());
  // 1 stands for "nowhere yet" in the two passes of a writer of large files.
  if (buffer.offset() > 1) {
    fail(ErrorKind::kUnsupported, "constants behind the flatbuffer are not supported", where);
  }
  if (count(buffer.data()) == 0) return;
  to.data = std::as_bytes(std::span(buffer.data()->data(), buffer.data()->size()));
  const std::optional<int64_t> expected = constant_bytes(to.type, to.elements);
  if (expected && *expected != count(buffer.data())) {
    fail(ErrorKind::kData, "a constant is not as long as its shape says", where, concat(*expected, " bytes"),
         concat(count(buffer.data())));
  }
}

TfliteOperator Parser::operation(const tflite::Operator& from, int64_t index) {
  if (from.opcode_index() >= count(source_.operator_codes())) {
    fail(ErrorKind::kData, "an operator code does not exist", concat("operator ", index),
         concat("below ", count(source_.operator_codes())), concat(from.opcode_index()));
  }
  const tflite::OperatorCode& code = *source_.operator_codes()->Get(from.opcode_index());
  TfliteOperator to;
  to.code = std::max<int32_t>(code.deprecated_builtin_code(), static_cast<int32_t>(code.builtin_code()));
  to.name = tflite::EnumNameBuiltinOperator(static_cast<tflite::BuiltinOperator>(to.code));
  if (to.name.empty()) to.name = concat("operator code ", to.code);
  if (code.custom_code()) to.name += concat(" '", printable(code.custom_code()->string_view()), "'");
  const std::string where = concat("operator ", index, " (", to.name, ")");
  to.inputs = tensor_numbers(from.inputs(), -1, where);
  to.outputs = tensor_numbers(from.outputs(), 0, where);
  to.options = decode_options(from, concat(model_.file, ", ", where));
  return to;
}

std::vector<int32_t> Parser::tensor_numbers(const flatbuffers::Vector<int32_t>* from, int32_t least,
                                            const std::string& where) {
  spend(count(from) * static_cast<int64_t>(sizeof(int32_t)));
  std::vector<int32_t> numbers;
  for (int64_t i = 0; i < count(from); ++i) {
    const int32_t number = from->Get(static_cast<flatbuffers::uoffset_t>(i));
    if (number < least || number >= static_cast<int64_t>(model_.tensors.size())) {
      fail(ErrorKind::kData, "a tensor does not exist", where, concat("below ", model_.tensors.size()),
           concat(number));
    }
    numbers.push_back(number);
  }
  return numbers;
}

}  // namespace

std::string to_string(TfliteType type) {
  const std::string name = tflite::EnumNameTensorType(static_cast<tflite::TensorType>(type));
  return name.empty() ? concat("type ", static_cast<int>(type)) : name;
}

std::optional<int64_t> constant_bytes(TfliteType type, int64_t elements) {
  switch (type) {
    case TfliteType::kFloat32:
    case TfliteType::kInt32:
      return 4 * elements;
    case TfliteType::kInt64:
      return 8 * elements;
    case TfliteType::kInt8:
      return elements;
    case TfliteType::kInt4:
      return (elements + 1) / 2;
  }
  return std::nullopt;
}

std::string printable(std::string_view text) {
  constexpr size_t kMaxLength = 60;
  std::string line(text.substr(0, kMaxLength));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  if (text.size() > kMaxLength) line.replace(kMaxLength - 3, 3, "...");
  return line;
}

TfliteModel parse_tflite(std::string_view bytes, const std::string& file) {
  const auto fail = [&](const std::string& what, const std::string& expected, const std::string& found) {
    throw Error(ErrorKind::kData, {.what = what, .where = file, .expected = expected, .found = found});
  };
  constexpr size_t kIdentifierAt = 4;
  if (bytes.size() < 2 * kIdentifierAt || bytes.substr(kIdentifierAt, 4) != tflite::ModelIdentifier()) {
    fail("not a .tflite file", "TFL3 at byte 4", "");
  }
  if (bytes.size() > TfliteModel::kMaxBytes) {
    fail("the file is too large", concat("at most ", TfliteModel::kMaxBytes, " bytes"), concat(bytes.size()));
  }
  TfliteModel model;
  model.file = file;
  model.bytes = static_cast<int64_t>(bytes.size());
  const std::shared_ptr<void> copy = allocate_buffer(bytes.size());
  std::memcpy(copy.get(), bytes.data(), bytes.size());
  model.storage = copy;

  const auto* data = static_cast<const uint8_t*>(copy.get());
  flatbuffers::Verifier verifier(data, bytes.size(), kMaxDepth, kMaxTables);
  if (!tflite::VerifyModelBuffer(verifier)) {
    fail("the file is damaged: a table or a vector does not lie inside it", "", "");
  }
  Parser(*tflite::GetModel(data), model).run();
  return model;
}

}  // namespace qlimit
