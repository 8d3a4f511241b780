// An archive: named tensors and texts in one file. Checkpoints and models are archives.
//
//   Archive archive;
//   archive.add("epoch", int64_t{3});
//   archive.add("model.0.weight", weight);             // Tensor<float>
//   archive.save("checkpoint.qla");
//   ...
//   const Archive loaded = Archive::load("checkpoint.qla");
//   const Tensor<float>& w = loaded.tensor<float>("model.0.weight");
//
// Format, version 1. All numbers little-endian, nothing padded.
//
//   bytes  8      "QLIMITAR"
//   u32           version = 1
//   u32           number of entries
//   u64           length of the whole file in bytes
//   for each entry
//     u8          length of its name, 1 to 255
//     bytes       the name: printable ASCII
//     u8          type: 0 text, 1 f32, 2 f64, 3 i32, 4 i64, 5 u8, 6 i8
//     u8          rank: 0 to 4 (1 for text)
//     i64 * rank  dimensions, outermost first (for text: its length in bytes)
//     bytes       the elements, row-major
//   u32           CRC-32 of all bytes before it (core/checksum.h)
//
// In Python, with nothing but numpy:
//
//   import numpy as np, zlib
//   b = open("checkpoint.qla", "rb").read()
//   assert b[:8] == b"QLIMITAR" and zlib.crc32(b[:-4]) == int.from_bytes(b[-4:], "little")
//   entries, at = {}, 24
//   for _ in range(int.from_bytes(b[12:16], "little")):
//       name = b[at + 1 : at + 1 + b[at]].decode(); at += 1 + b[at]
//       dtype, rank = np.dtype("S1 f4 f8 i4 i8 u1 i1".split()[b[at]]), b[at + 1]
//       shape = np.frombuffer(b, "<i8", rank, at + 2); at += 2 + 8 * rank
//       entries[name] = np.frombuffer(b, dtype, shape.prod(dtype=int), at).reshape(shape)
//       at += entries[name].nbytes
#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/tensor.h"

namespace qlimit {

class Archive {
 public:
  /// The order of the alternatives is the type number in the file.
  using Value = std::variant<std::string, Tensor<float>, Tensor<double>, Tensor<int32_t>, Tensor<int64_t>,
                             Tensor<uint8_t>, Tensor<int8_t>>;
  struct Entry {
    std::string name;
    Value value;
  };

  /// No file longer than this is written or read: the largest model of the project needs about 1 % of it.
  static constexpr uint64_t kMaxBytes = uint64_t{1} << 30;
  static constexpr uint32_t kMaxEntries = 1 << 16;

  /// Appends an entry. A tensor shares its storage with the caller's until the archive is written. Throws
  /// kUsage if the name is taken, not 1 to 255 printable ASCII characters, the tensor is an empty handle, or
  /// there are kMaxEntries already.
  void add(const std::string& name, Value value);
  /// The same for a single number, stored as an i64 of rank 0.
  void add(const std::string& name, int64_t number);
  /// A fraction would be cut off without a word: store a tensor of rank 0.
  template <std::floating_point T>
  void add(const std::string& name, T number) = delete;
  /// The same for a text that is written as a literal (which would otherwise be ambiguous).
  void add(const std::string& name, const char* text) { add(name, Value(std::string(text))); }

  /// All entries, in the order of the file.
  const std::vector<Entry>& entries() const { return entries_; }
  /// The file that this was read from, for messages; empty if it was made here.
  const std::string& where() const { return where_; }
  bool contains(const std::string& name) const { return index_.contains(name); }

  /// An entry by name; throws kData, naming it, if it is missing or of another type.
  template <typename T>
  const Tensor<T>& tensor(const std::string& name) const {
    return get<Tensor<T>>(name);
  }
  const std::string& text(const std::string& name) const { return get<std::string>(name); }
  int64_t number(const std::string& name) const;

  /// The bytes of the file. Throws kUsage for more than kMaxBytes, which nobody could read.
  std::vector<uint8_t> to_bytes() const;
  /// Reads what to_bytes wrote. The bytes are not trusted: whatever they are, the result is an archive or an
  /// Error (kData) of one line that names `where`, and memory stays in proportion to their number.
  static Archive parse(std::span<const uint8_t> bytes, const std::string& where);

  /// Writes the file, all or nothing (write_file). Throws kIo, or kUsage as to_bytes.
  void save(const std::filesystem::path& path) const;
  /// Reads a file of at most kMaxBytes. Throws kIo or kData.
  static Archive load(const std::filesystem::path& path);

 private:
  template <typename T>
  const T& get(const std::string& name) const {
    const Value& value = find(name);
    if (const T* found = std::get_if<T>(&value)) return *found;
    wrong_type(name, Value(T()));
  }
  const Value& find(const std::string& name) const;
  [[noreturn]] void wrong_type(const std::string& name, const Value& wanted) const;

  std::vector<Entry> entries_;
  std::map<std::string, size_t, std::less<>> index_;
  std::string where_;
};

}  // namespace qlimit
