#include "data/npy.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "core/file.h"

namespace qlimit {
namespace {

static_assert(std::endian::native == std::endian::little, "values are copied as they are");

using Bytes = std::span<const uint8_t>;

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kValueAlignment = 64;  // of the values in the file

template <typename T>
constexpr const char* kDescription = nullptr;  // how a header spells the type
template <>
constexpr const char* kDescription<float> = "<f4";
template <>
constexpr const char* kDescription<double> = "<f8";
template <>
constexpr const char* kDescription<int8_t> = "|i1";
template <>
constexpr const char* kDescription<uint8_t> = "|u1";
template <>
constexpr const char* kDescription<int32_t> = "<i4";
template <>
constexpr const char* kDescription<int64_t> = "<i8";

Error data_error(const std::string& what, const std::string& where, const std::string& expected = {},
                 const std::string& found = {}, const std::string& hint = {}) {
  return {ErrorKind::kData,
          {.what = what, .where = where, .expected = expected, .found = found, .hint = hint}};
}

// What a message may show of a text from outside: one short line.
std::string printable(std::string_view text) {
  std::string shown(text.substr(0, 16));
  for (char& c : shown) {
    if (c < ' ' || c > '~') c = '?';
  }
  return shown;
}

/// What the header says.
struct Header {
  std::optional<std::string> description;
  std::optional<bool> fortran_order;
  std::optional<std::vector<uint64_t>> shape;
};

/// Reads the dictionary: the three keys in any order, with Python's freedom about spaces, quotes and the last
/// comma. Anything else is refused.
class HeaderReader {
 public:
  HeaderReader(std::string_view text, const std::string& where) : text_(text), where_(where) {}

  Header read() {
    Header header;
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr" && !header.description) {
        header.description = quoted();
      } else if (key == "fortran_order" && !header.fortran_order) {
        header.fortran_order = truth();
      } else if (key == "shape" && !header.shape) {
        header.shape = tuple();
      } else {
        fail();
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_spaces();
    if (at_ != text_.size()) fail();
    if (!header.description || !header.fortran_order || !header.shape) fail();
    return header;
  }

 private:
  [[noreturn]] void fail() const {
    throw data_error("the header of the .npy file cannot be read", where_,
                     "{'descr': ..., 'fortran_order': ..., 'shape': ...} of a plain array",
                     concat("something else at character ", at_));
  }
  void skip_spaces() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool accept(char wanted) {
    skip_spaces();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  void expect(char wanted) {
    if (!accept(wanted)) fail();
  }
  bool accept_word(std::string_view word) {
    skip_spaces();
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  std::string quoted() {
    const char quote = accept('"') ? '"' : '\'';
    if (quote == '\'') expect('\'');
    const size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos) fail();
    const std::string word(text_.substr(at_, end - at_));
    at_ = end + 1;
    return word;
  }
  bool truth() {
    if (accept_word("True")) return true;
    if (!accept_word("False")) fail();
    return false;
  }
  uint64_t number() {
    skip_spaces();
    const size_t start = at_;
    uint64_t value = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      value = value * 10 + static_cast<uint64_t>(text_[at_] - '0');
      if (value > kMaxNpyBytes) throw data_error("the .npy file claims an absurd size", where_);
    }
    if (at_ == start) fail();
    return value;
  }
  std::vector<uint64_t> tuple() {
    std::vector<uint64_t> numbers;
    expect('(');
    while (!accept(')')) {
      numbers.push_back(number());
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return numbers;
  }

  std::string_view text_;
  const std::string& where_;
  size_t at_ = 0;
};

struct Parts {
  std::string_view header;
  Bytes values;
};

Parts take_apart(Bytes bytes, const std::string& where) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const size_t version_at = kMagic.size();
  if (text.substr(0, version_at) != kMagic) throw data_error("not a .npy file", where);
  if (text.size() < version_at + 2) throw data_error("the .npy file is truncated", where);
  const int major = bytes[version_at], minor = bytes[version_at + 1];
  if (major < 1 || major > 3 || minor != 0) {
    throw data_error("unknown version of the .npy format", where, "1.0, 2.0 or 3.0",
                     concat(major, ".", minor));
  }
  const size_t length_at = version_at + 2, length_size = major == 1 ? 2 : 4;
  const size_t header_at = length_at + length_size;
  if (text.size() < header_at) throw data_error("the .npy file is truncated", where);
  uint32_t length = 0;
  std::memcpy(&length, bytes.data() + length_at, length_size);
  if (length > text.size() - header_at) {
    throw data_error("the .npy file is truncated", where, concat("a header of ", length, " bytes"),
                     concat(text.size() - header_at));
  }
  return {text.substr(header_at, length), bytes.subspan(header_at + length)};
}

/// The shape, once the bytes that it needs are known to be there.
Shape checked_shape(const std::vector<uint64_t>& sizes, size_t element_bytes, size_t bytes,
                    const std::string& where) {
  if (sizes.size() > size_t{Shape::kMaxRank}) {
    throw data_error("the array in the .npy file has too many dimensions", where, "at most 4",
                     concat(sizes.size()));
  }
  uint64_t count = element_bytes;
  for (const uint64_t size : sizes) {
    if (size == 0) throw data_error("the array in the .npy file has no elements", where);
    if (size > kMaxNpyBytes / count) throw data_error("the .npy file claims an absurd size", where);
    count *= size;
  }
  if (count != bytes) {
    throw data_error(count > bytes ? "the .npy file is truncated" : "the .npy file is too long", where,
                     concat(count, " bytes after the header"), concat(bytes));
  }
  const std::vector<int64_t> dims(sizes.begin(), sizes.end());
  return Shape(dims);
}

template <typename T>
Tensor<T> copy_values(const Header& header, Bytes values, const std::string& where) {
  auto tensor = Tensor<T>::uninitialized(checked_shape(*header.shape, sizeof(T), values.size(), where));
  std::memcpy(tensor.data(), values.data(), values.size());
  return tensor;
}

// Python's own numbers are float64, so that is what an array often has by accident.
Tensor<float> rounded(const Tensor<double>& wide, const std::string& where) {
  constexpr double kLargest = std::numeric_limits<float>::max();
  auto tensor = Tensor<float>::uninitialized(wide.shape());
  for (int64_t i = 0; i < wide.size(); ++i) {
    if (std::isfinite(wide[i]) && std::abs(wide[i]) > kLargest) {
      throw data_error("a float64 of the .npy file is beyond float32", where, {}, concat(wide[i]));
    }
    tensor[i] = static_cast<float>(wide[i]);
  }
  return tensor;
}

/// The file's values as one of the types that its header may name.
NpyArray to_array(const Header& header, Bytes values, const std::string& where) {
  const std::string& type = *header.description;
  if (type == kDescription<float>) return copy_values<float>(header, values, where);
  if (type == kDescription<double>) return rounded(copy_values<double>(header, values, where), where);
  if (type == kDescription<int8_t>) return copy_values<int8_t>(header, values, where);
  if (type == kDescription<uint8_t>) return copy_values<uint8_t>(header, values, where);
  if (type == kDescription<int32_t>) return copy_values<int32_t>(header, values, where);
  if (type == kDescription<int64_t>) return copy_values<int64_t>(header, values, where);
  throw data_error("the .npy file's type is not supported", where,
                   "float32, float64, int8, uint8, int32 or int64, little-endian", printable(type));
}

}  // namespace

NpyArray parse_npy(Bytes bytes, const std::string& where) {
  const Parts parts = take_apart(bytes, where);
  const Header header = HeaderReader(parts.header, where).read();
  if (*header.fortran_order) {
    throw data_error("the array in the .npy file is in Fortran order", where, "row-major order", {},
                     "save numpy.ascontiguousarray(array)");
  }
  return to_array(header, parts.values, where);
}

NpyArray read_npy(const std::filesystem::path& path) {
  return parse_npy(read_file(path, kMaxNpyBytes), path.string());
}

std::string type_name(const NpyArray& array) {
  static constexpr const char* kNames[] = {"float32", "int8", "uint8", "int32", "int64"};
  return kNames[array.index()];
}

const Shape& shape_of(const NpyArray& array) {
  return std::visit([](const auto& tensor) -> const Shape& { return tensor.shape(); }, array);
}

template <typename T>
std::string npy_bytes(const Tensor<T>& tensor) {
  std::string shape;
  for (const int64_t size : tensor.shape()) shape += concat(shape.empty() ? "" : " ", size, ",");
  if (tensor.rank() > 1) shape.pop_back();  // a Python tuple of one number keeps its comma
  std::string header =
      concat("{'descr': '", kDescription<T>, "', 'fortran_order': False, 'shape': (", shape, "), }");
  const size_t before = kMagic.size() + 4;
  const size_t whole = (before + header.size() + 1 + kValueAlignment - 1) / kValueAlignment * kValueAlignment;
  header.resize(whole - before - 1, ' ');
  header += '\n';

  std::string bytes(kMagic);
  bytes += {'\1', '\0', static_cast<char>(header.size() & 255), static_cast<char>(header.size() >> 8)};
  bytes += header;
  bytes.append(reinterpret_cast<const char*>(tensor.data()), sizeof(T) * static_cast<size_t>(tensor.size()));
  return bytes;
}

std::string npy_bytes(const NpyArray& array) {
  return std::visit([](const auto& tensor) { return npy_bytes(tensor); }, array);
}

void write_npy(const std::filesystem::path& path, const NpyArray& array) {
  write_file(path, npy_bytes(array));
}

template std::string npy_bytes(const Tensor<float>&);
template std::string npy_bytes(const Tensor<int8_t>&);
template std::string npy_bytes(const Tensor<uint8_t>&);
template std::string npy_bytes(const Tensor<int32_t>&);
template std::string npy_bytes(const Tensor<int64_t>&);

}  // namespace qlimit
