#include "core/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path) {
  throw Error(ErrorKind::kIo,
              {.what = "cannot lock the file", .where = concat(path.string(), ": ", std::strerror(errno))});
}

Descriptor open_lock(const fs::path& path) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644));
  if (file.get() < 0) fail(path);
  return file;
}

// Returns false with errno set.
bool lock(const Descriptor& file, int operation) {
  while (::flock(file.get(), operation) != 0)
    if (errno != EINTR) return false;
  return true;
}

}  // namespace

std::optional<FileLock> FileLock::try_hold(const fs::path& path) {
  Descriptor file = open_lock(path);
  if (lock(file, LOCK_EX | LOCK_NB)) return FileLock(std::move(file));
  if (errno != EWOULDBLOCK) fail(path);
  return std::nullopt;
}

FileLock FileLock::hold(const fs::path& path) {
  Descriptor file = open_lock(path);
  if (!lock(file, LOCK_EX)) fail(path);
  return FileLock(std::move(file));
}

}  // namespace qlimit
