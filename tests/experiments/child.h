// A program as a child process, to see how it ends: by itself, by a signal, on a full disk.
//
//   Child child({QLIMIT_MNIST_CNN, "--data", "tiny"}, folder / "log");
//   const Exit exit = child.wait();
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace qlimit {

struct Exit {
  int status = -1;      // exit status, or -1 if a signal ended it
  bool killed = false;  // by SIGKILL
  std::string out;
  std::string err;
};

class Child {
 public:
  /// Starts the program arguments[0]; its two streams go to log.out and log.err. `prepare` runs in the child
  /// first.
  Child(
      const std::vector<std::string>& arguments, const std::filesystem::path& log,
      const std::function<void()>& prepare = [] {});
  /// Kills it if it still runs.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Sends SIGKILL.
  void kill();
  /// Waits for the end.
  Exit wait();

 private:
  pid_t pid_;
  bool running_ = true;
  std::filesystem::path log_;
};

}  // namespace qlimit
