#include "data/idx.h"

#include "core/error.h"
#include "core/file.h"
#include "data/big_endian.h"
#include "data/gzip.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;
using Bytes = std::span<const uint8_t>;

/// What the errors of one file have in common.
struct Source {
  const std::string& where;
  const std::string& hint;

  Error error(const std::string& what, const std::string& expected, const std::string& found) const {
    return {ErrorKind::kData,
            {.what = what, .where = where, .expected = expected, .found = found, .hint = hint}};
  }
};

struct Idx {
  std::vector<int64_t> sizes;  // one per dimension, each at least 1
  Bytes values;                // as many as the product of the sizes
};

std::string hex(uint32_t word) {
  std::ostringstream out;
  out << std::hex;
  for (int shift = 24; shift >= 0; shift -= 8) {
    out << (word >> shift >> 4 & 15) << (word >> shift & 15) << (shift ? " " : "");
  }
  return out.str();
}

// Reads the header and compares the sizes it claims with the bytes there are, before anyone allocates by
// them.
Idx parse_idx(Bytes bytes, uint32_t rank, const Source& source) {
  const size_t header = 4 + 4 * size_t{rank};
  if (bytes.empty()) throw source.error("the IDX file is empty", {}, {});
  if (bytes.size() < header) {
    throw source.error("the IDX file is truncated", concat("a header of ", header, " bytes"),
                       concat(bytes.size(), " bytes"));
  }
  const uint32_t magic = 0x0800 + rank;
  if (big_endian(bytes) != magic) {
    throw source.error("not the IDX file that belongs here", concat("it to start with ", hex(magic)),
                       hex(big_endian(bytes)));
  }
  Idx idx{.sizes = {}, .values = bytes.subspan(header)};
  uint64_t count = 1;
  for (uint32_t axis = 0; axis < rank; ++axis) {
    const uint64_t size = big_endian(bytes.subspan(4 + 4 * size_t{axis}));
    if (size == 0) throw source.error("the IDX file has no data", "sizes of at least 1", "0");
    // Both factors stay below 2^32, so the product of the next round cannot wrap.
    count *= size;
    if (count > kMaxIdxBytes) {
      throw source.error("the IDX file claims an absurd size", concat("at most ", kMaxIdxBytes, " bytes"),
                         concat("at least ", count));
    }
    idx.sizes.push_back(static_cast<int64_t>(size));
  }
  if (count != idx.values.size()) {
    throw source.error(count > idx.values.size() ? "the IDX file is truncated" : "the IDX file is too long",
                       concat(count, " bytes after the header"), concat(idx.values.size()));
  }
  return idx;
}

// Calls `use` with the header and values of a file that may be compressed.
template <typename Use>
auto with_idx(Bytes bytes, uint32_t rank, const Source& source, Use use) {
  if (!is_gzip(bytes)) return use(parse_idx(bytes, rank, source));
  const std::vector<uint8_t> plain = gunzip(bytes, kMaxIdxBytes, source.where, source.hint);
  return use(parse_idx(plain, rank, source));
}

fs::path plain_or_compressed(const fs::path& path) {
  const fs::path compressed = path.string() + ".gz";
  std::error_code ignored;
  return !fs::exists(path, ignored) && fs::exists(compressed, ignored) ? compressed : path;
}

}  // namespace

Tensor<uint8_t> parse_idx_images(Bytes bytes, const std::string& where, const std::string& hint) {
  return with_idx(bytes, 3, {where, hint}, [](const Idx& idx) {
    auto images = Tensor<uint8_t>::uninitialized({idx.sizes[0], idx.sizes[1], idx.sizes[2], 1});
    std::copy(idx.values.begin(), idx.values.end(), images.begin());
    return images;
  });
}

std::vector<uint8_t> parse_idx_labels(Bytes bytes, const std::string& where, const std::string& hint) {
  return with_idx(bytes, 1, {where, hint},
                  [](const Idx& idx) { return std::vector<uint8_t>(idx.values.begin(), idx.values.end()); });
}

Tensor<uint8_t> read_idx_images(const fs::path& path, const std::string& hint) {
  const fs::path file = plain_or_compressed(path);
  return parse_idx_images(read_file(file, kMaxIdxBytes, hint), file.string(), hint);
}

std::vector<uint8_t> read_idx_labels(const fs::path& path, const std::string& hint) {
  const fs::path file = plain_or_compressed(path);
  return parse_idx_labels(read_file(file, kMaxIdxBytes, hint), file.string(), hint);
}

}  // namespace qlimit
