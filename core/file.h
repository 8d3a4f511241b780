// Whole files in and out. Reading is bounded; writing is all or nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace qlimit {

/// The bytes of a regular file. Throws kIo if it is missing or unreadable (with `hint`), kData if it is
/// longer than `max_bytes`: nothing is read then.
std::vector<uint8_t> read_file(const std::filesystem::path& path, uint64_t max_bytes,
                               const std::string& hint = {});

/// Writes `bytes` to a temporary name in the same folder, flushes it to the disk and renames it, so that
/// `path` holds either its old content or the whole new one, whatever happens in between. Of several writers
/// of one path, threads or processes of a machine, the last one's content stays. Throws kIo and leaves no
/// temporary file.
void write_file(const std::filesystem::path& path, std::string_view bytes);
inline void write_file(const std::filesystem::path& path, const std::vector<uint8_t>& bytes) {
  write_file(path, std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

/// Creates the folder (and its parents) if need be and proves that a file can be written there; throws kIo at
/// once instead of after an hour of training.
void ensure_writable_folder(const std::filesystem::path& folder);

}  // namespace qlimit
