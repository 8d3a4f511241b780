#include "core/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "core/descriptor.h"
#include "core/error.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& what, const fs::path& path, const std::string& hint = {}) {
  const std::string reason = std::strerror(errno);
  throw Error(ErrorKind::kIo, {.what = what, .where = concat(path.string(), ": ", reason), .hint = hint});
}

// A name beside `path` that no other writer uses: no other process, and no other thread of this one.
fs::path temporary_name(const fs::path& path) {
  static std::atomic<int> count = 0;
  return path.string() + concat(".", ::getpid(), ".", ++count, ".tmp");
}

// Returns false with errno set; the caller removes the file.
bool write_and_sync(const fs::path& path, std::string_view bytes) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (file.get() < 0) return false;
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return ::fsync(file.get()) == 0 && file.close();
}

// Makes a rename durable: the folder's entry reaches the disk too. Some file systems refuse; the data is safe
// then all the same, so the answer is not looked at.
void sync_folder(const fs::path& folder) {
  Descriptor handle(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (handle.get() >= 0) (void)::fsync(handle.get());
}

}  // namespace

std::vector<uint8_t> read_file(const fs::path& path, uint64_t max_bytes, const std::string& hint) {
  // Without O_NONBLOCK, opening a named pipe would wait for a writer, perhaps for ever.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) fail("cannot open the file", path, hint);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail("cannot read the file", path, hint);
  if (!S_ISREG(status.st_mode)) {
    throw Error(ErrorKind::kIo, {.what = "not a regular file", .where = path.string(), .hint = hint});
  }
  if (static_cast<uint64_t>(status.st_size) > max_bytes) {
    throw Error(ErrorKind::kData, {.what = "the file is too long",
                                   .where = path.string(),
                                   .expected = concat("at most ", max_bytes, " bytes"),
                                   .found = concat(status.st_size),
                                   .hint = hint});
  }
  std::vector<uint8_t> bytes(static_cast<size_t>(status.st_size));
  size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t got = ::read(file.get(), bytes.data() + have, bytes.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("cannot read the file", path, hint);
    if (got == 0) break;
    have += static_cast<size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

void write_file(const fs::path& path, std::string_view bytes) {
  const fs::path temporary = temporary_name(path);
  if (!write_and_sync(temporary, bytes) || ::rename(temporary.c_str(), path.c_str()) != 0) {
    const int reason = errno;
    ::unlink(temporary.c_str());
    errno = reason;
    fail("cannot write the file", path, "is the disk full or the folder read-only?");
  }
  sync_folder(path.parent_path());
}

void ensure_writable_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    throw Error(ErrorKind::kIo, {.what = "cannot create the folder",
                                 .where = concat(folder.string(), ": ", error.message())});
  }
  const fs::path probe = temporary_name(folder / ".writable");
  const bool writable = write_and_sync(probe, "qlimit\n");
  const int reason = errno;
  ::unlink(probe.c_str());
  errno = reason;
  if (!writable) fail("cannot write into the folder", folder, "choose another one with --output");
}

}  // namespace qlimit
