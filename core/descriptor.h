// A file descriptor of the operating system that is closed at the end of its scope.
#pragma once

#include <unistd.h>

namespace qlimit {

class Descriptor {
 public:
  /// Of what open() returned, be it -1.
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&&) = delete;

  int get() const { return fd_; }
  /// Closes it now; false, with errno set, if what was written may be lost.
  bool close() { return ::close(release()) == 0; }

 private:
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

  int fd_;
};

}  // namespace qlimit
