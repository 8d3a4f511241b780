#include "data/gzip.h"

#include <zlib.h>

#include <algorithm>

#include "core/error.h"

namespace qlimit {
namespace {

constexpr uint64_t kFirstChunk = uint64_t{1} << 16;

class Inflater {
 public:
  explicit Inflater(std::span<const uint8_t> bytes) {
    // zlib takes a pointer to non-const and does not write through it.
    stream_.next_in = const_cast<Bytef*>(bytes.data());
    stream_.avail_in = static_cast<uInt>(bytes.size());
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    if (inflateInit2(&stream_, kGzipOnly) != Z_OK) throw Error(ErrorKind::kUsage, {.what = "out of memory"});
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Appends up to `count` bytes to `out`; returns zlib's status.
  int append(std::vector<uint8_t>& out, uint64_t count) {
    const size_t before = out.size();
    out.resize(before + count);
    stream_.next_out = out.data() + before;
    stream_.avail_out = static_cast<uInt>(count);
    const int status = inflate(&stream_, Z_NO_FLUSH);
    out.resize(out.size() - stream_.avail_out);
    return status;
  }
  bool used_all_input() const { return stream_.avail_in == 0; }

 private:
  z_stream stream_{};
};

}  // namespace

bool is_gzip(std::span<const uint8_t> bytes) {
  return bytes.size() >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B;
}

std::vector<uint8_t> gunzip(std::span<const uint8_t> bytes, uint64_t max_bytes, const std::string& where,
                            const std::string& hint) {
  const auto fail = [&](const std::string& what, const std::string& expected = {}) -> Error {
    return {ErrorKind::kData, {.what = what, .where = where, .expected = expected, .hint = hint}};
  };
  constexpr uInt kMost = ~uInt{0};  // that zlib takes at once
  if (bytes.size() > kMost) throw fail("the gzip file is too long", concat("at most ", kMost, " bytes"));
  Inflater inflater(bytes);
  std::vector<uint8_t> out;
  int status = Z_OK;
  while (status == Z_OK) {
    // Twice as much each time; one byte more than allowed, to tell "exactly the limit" from "beyond it".
    const uint64_t chunk = std::max<uint64_t>(kFirstChunk, out.size());
    status = inflater.append(out, std::min(chunk, max_bytes + 1 - out.size()));
    if (out.size() > max_bytes) {
      throw fail("the gzip file holds too much", concat("at most ", max_bytes, " bytes"));
    }
  }
  if (status == Z_BUF_ERROR) throw fail("the gzip file is truncated");
  if (status != Z_STREAM_END) throw fail("the gzip file is damaged");
  if (!inflater.used_all_input()) throw fail("bytes follow the end of the gzip file");
  return out;
}

}  // namespace qlimit
