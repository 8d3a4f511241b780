#include "core/archive.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/checksum.h"
#include "core/error.h"
#include "core/file.h"

namespace qlimit {
namespace {

static_assert(std::endian::native == std::endian::little,
              "numbers are copied to and from the file as they are");

constexpr std::string_view kMagic = "QLIMITAR";
constexpr uint32_t kVersion = 1;
constexpr size_t kLengthAt = 16;
constexpr size_t kHeaderBytes = 24;
constexpr size_t kChecksumBytes = 4;
constexpr const char* kTypeNames[] = {"text", "f32", "f64", "i32", "i64", "u8", "i8"};

bool is_good_name(std::string_view name) {
  return !name.empty() && name.size() <= 255 &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

// ---- writing ----

template <typename T>
void append(std::vector<uint8_t>& bytes, const T* data, size_t count) {
  const size_t at = bytes.size();
  bytes.resize(at + sizeof(T) * count);
  std::memcpy(bytes.data() + at, data, sizeof(T) * count);
}

template <typename T>
void append(std::vector<uint8_t>& bytes, T number) {
  append(bytes, &number, 1);
}

void append_value(std::vector<uint8_t>& bytes, const std::string& text) {
  append(bytes, uint8_t{1});
  append(bytes, static_cast<int64_t>(text.size()));
  append(bytes, text.data(), text.size());
}

template <typename T>
void append_value(std::vector<uint8_t>& bytes, const Tensor<T>& tensor) {
  append(bytes, static_cast<uint8_t>(tensor.rank()));
  for (int64_t dim : tensor.shape()) append(bytes, dim);
  append(bytes, tensor.data(), static_cast<size_t>(tensor.size()));
}

// ---- reading ----

// Takes one field after the other and refuses to run past the end.
class Reader {
 public:
  Reader(std::span<const uint8_t> bytes, const std::string& where) : bytes_(bytes), where_(where) {}

  template <typename T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }

  std::string text(size_t size) {
    const std::span<const uint8_t> raw = take(size);
    return {raw.begin(), raw.end()};
  }

  // The memory is taken only after the file has proved to hold as many bytes.
  template <typename T>
  Tensor<T> tensor(const Shape& shape) {
    const std::span<const uint8_t> raw = take(sizeof(T) * static_cast<size_t>(shape.size()));
    Tensor<T> result = Tensor<T>::uninitialized(shape);
    if (!raw.empty()) std::memcpy(static_cast<void*>(result.data()), raw.data(), raw.size());
    return result;
  }

  // Dimensions whose product is no more than the bytes that are left: nothing later can overflow. Where one
  // is 0 there are no elements, and the others are all that a shape can have.
  Shape shape(int rank) {
    std::array<int64_t, Shape::kMaxRank> all{};
    const std::span dims = std::span(all).first(rank);
    for (int64_t& dim : dims) dim = number<int64_t>();
    const bool empty = std::ranges::find(dims, 0) != dims.end();
    const int64_t most = empty ? Shape::kMaxElements : left();
    int64_t elements = 1;
    for (const int64_t dim : dims) {
      if (dim < 0 || (dim > 0 && elements > most / dim)) {
        fail("a tensor is larger than the file", "", concat("dimension ", dim));
      }
      elements *= dim;
    }
    return Shape(std::span<const int64_t>(dims));
  }

  int64_t left() const { return static_cast<int64_t>(bytes_.size()); }

  [[noreturn]] void fail(const std::string& what, const std::string& expected = {},
                         const std::string& found = {}) const {
    throw Error(ErrorKind::kData, {.what = what, .where = where_, .expected = expected, .found = found});
  }

 private:
  std::span<const uint8_t> take(size_t size) {
    if (size > bytes_.size()) {
      fail("an archive ends in the middle of an entry", concat(size, " more bytes"), concat(bytes_.size()));
    }
    const std::span<const uint8_t> taken = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return taken;
  }

  std::span<const uint8_t> bytes_;
  const std::string& where_;
};

// Reads the value whose type number is that of alternative I or a later one.
template <size_t I = 0>
Archive::Value read_value(Reader& reader, size_t type, const Shape& shape) {
  if constexpr (I == std::variant_size_v<Archive::Value>) {
    reader.fail("an archive holds a value of unknown type", "", concat(type));
  } else {
    using T = std::variant_alternative_t<I, Archive::Value>;
    if (type != I) return read_value<I + 1>(reader, type, shape);
    if constexpr (std::is_same_v<T, std::string>) {
      return reader.text(static_cast<size_t>(shape.size()));
    } else {
      return reader.tensor<std::remove_cvref_t<decltype(*T().data())>>(shape);
    }
  }
}

Archive::Entry read_entry(Reader& reader) {
  Archive::Entry entry;
  entry.name = reader.text(reader.number<uint8_t>());
  if (!is_good_name(entry.name)) reader.fail("an archive holds a name that is empty or not printable");
  const size_t type = reader.number<uint8_t>();
  const int rank = reader.number<uint8_t>();
  if (rank > Shape::kMaxRank || (type == 0 && rank != 1)) {
    reader.fail("an archive holds a value of impossible rank", "",
                concat("rank ", rank, " for ", entry.name));
  }
  const Shape shape = reader.shape(rank);
  entry.value = read_value(reader, type, shape);
  return entry;
}

// Magic, version, length and checksum; returns the number of entries.
uint32_t check_frame(std::span<const uint8_t> bytes, const std::string& where) {
  Reader reader(bytes, where);
  if (bytes.size() < kHeaderBytes + kChecksumBytes) {
    reader.fail("the file is too short for an archive",
                concat("at least ", kHeaderBytes + kChecksumBytes, " bytes"), concat(bytes.size()));
  }
  if (reader.text(kMagic.size()) != kMagic) {
    reader.fail("the file is not an archive of this program", concat("it to begin with ", kMagic));
  }
  if (const auto version = reader.number<uint32_t>(); version != kVersion) {
    reader.fail("the archive is of another version", concat(kVersion), concat(version));
  }
  const auto entries = reader.number<uint32_t>();
  if (entries > Archive::kMaxEntries) {
    reader.fail("the archive has too many entries", concat("at most ", Archive::kMaxEntries),
                concat(entries));
  }
  if (const auto length = reader.number<uint64_t>(); length != bytes.size()) {
    reader.fail(bytes.size() < length ? "the archive was cut short" : "the archive is too long",
                concat(length, " bytes"), concat(bytes.size()));
  }
  const std::span<const uint8_t> body = bytes.first(bytes.size() - kChecksumBytes);
  if (Reader(bytes.last(kChecksumBytes), where).number<uint32_t>() != crc32(body)) {
    reader.fail("the archive is damaged: its checksum does not match");
  }
  return entries;
}

}  // namespace

void Archive::add(const std::string& name, Value value) {
  const auto refuse = [&](const std::string& what, const std::string& shown) {
    throw Error(ErrorKind::kUsage, {.what = what, .where = where_, .found = shown});
  };
  if (!is_good_name(name)) refuse("an archive's names are 1 to 255 printable ASCII characters", "");
  if (entries_.size() == kMaxEntries) refuse("an archive is full", concat(kMaxEntries, " entries"));
  if (contains(name)) refuse("an archive holds each name once", name);
  std::visit(
      [&](const auto& held) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(held)>, std::string>) {
          if (held.empty()) refuse("an empty tensor handle", name);
        }
      },
      value);
  index_.emplace(name, entries_.size());
  entries_.push_back({name, std::move(value)});
}

void Archive::add(const std::string& name, int64_t number) {
  add(name, Value(Tensor<int64_t>::full(Shape(), number)));
}

const Archive::Value& Archive::find(const std::string& name) const {
  const auto at = index_.find(name);
  if (at == index_.end()) {
    throw Error(ErrorKind::kData, {.what = "an entry is missing", .where = where_, .expected = name});
  }
  return entries_[at->second].value;
}

void Archive::wrong_type(const std::string& name, const Value& wanted) const {
  throw Error(ErrorKind::kData, {.what = concat("entry ", name, " has the wrong type"),
                                 .where = where_,
                                 .expected = kTypeNames[wanted.index()],
                                 .found = kTypeNames[find(name).index()]});
}

int64_t Archive::number(const std::string& name) const {
  const Tensor<int64_t>& value = tensor<int64_t>(name);
  if (value.rank() != 0) {
    throw Error(ErrorKind::kData, {.what = concat("entry ", name, " is not a single number"),
                                   .where = where_,
                                   .found = value.shape().to_string()});
  }
  return value[0];
}

std::vector<uint8_t> Archive::to_bytes() const {
  std::vector<uint8_t> bytes;
  append(bytes, kMagic.data(), kMagic.size());
  append(bytes, kVersion);
  append(bytes, static_cast<uint32_t>(entries_.size()));
  append(bytes, uint64_t{0});  // the length, when it is known
  for (const Entry& entry : entries_) {
    append(bytes, static_cast<uint8_t>(entry.name.size()));
    append(bytes, entry.name.data(), entry.name.size());
    append(bytes, static_cast<uint8_t>(entry.value.index()));
    std::visit([&](const auto& held) { append_value(bytes, held); }, entry.value);
  }
  const uint64_t length = bytes.size() + kChecksumBytes;
  if (length > kMaxBytes) {
    throw Error(ErrorKind::kUsage, {.what = "too much for an archive",
                                    .expected = concat("at most ", kMaxBytes, " bytes"),
                                    .found = concat(length)});
  }
  std::memcpy(bytes.data() + kLengthAt, &length, sizeof(length));
  append(bytes, crc32(bytes));
  return bytes;
}

Archive Archive::parse(std::span<const uint8_t> bytes, const std::string& where) {
  const uint32_t count = check_frame(bytes, where);
  Reader reader(bytes.subspan(kHeaderBytes, bytes.size() - kHeaderBytes - kChecksumBytes), where);
  Archive archive;
  archive.where_ = where;
  for (uint32_t i = 0; i < count; ++i) {
    Entry entry = read_entry(reader);
    if (archive.contains(entry.name)) reader.fail("an archive holds a name twice", "", entry.name);
    archive.add(entry.name, std::move(entry.value));
  }
  if (reader.left() > 0) {
    reader.fail("an archive goes on after its last entry", "", concat(reader.left(), " more bytes"));
  }
  return archive;
}

void Archive::save(const std::filesystem::path& path) const { write_file(path, to_bytes()); }

Archive Archive::load(const std::filesystem::path& path) {
  return parse(read_file(path, kMaxBytes), path.string());
}

}  // namespace qlimit
