// Work that one process does at a time: a file that whoever does it holds locked.
//
//   if (const auto lock = FileLock::try_hold(folder / "lock")) train(folder);    // else another process does
//   const FileLock lock = FileLock::hold(folder / "lock");                       // when that one is done
//
// The operating system frees the lock when its holder ends, however it ends. The file stays: to remove it
// would pull the lock from under those that wait.
#pragma once

#include <filesystem>
#include <optional>
#include <utility>

#include "core/descriptor.h"

namespace qlimit {

class FileLock {
 public:
  /// The lock of the file `path`, which is made if need be, until the end of the object; nothing if another
  /// FileLock, in this process or another one, holds it. Throws kIo if the file cannot be made, or its file
  /// system knows no locks.
  static std::optional<FileLock> try_hold(const std::filesystem::path& path);
  /// The same, but waits for whoever holds it.
  static FileLock hold(const std::filesystem::path& path);

 private:
  explicit FileLock(Descriptor file) : file_(std::move(file)) {}

  Descriptor file_;
};

}  // namespace qlimit
