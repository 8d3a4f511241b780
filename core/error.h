// The one exception of the project. A message is one line that says what went wrong, where, what was
// expected, what was found, and what to do about it:
//
//   throw Error(ErrorKind::kData, {.what = "IDX file is truncated",
//                                  .where = path,
//                                  .expected = "784 bytes of pixels",
//                                  .found = "12",
//                                  .hint = "fetch it again with: data/fetch mnist"});
//
//   -> IDX file is truncated: train-images: expected 784 bytes of pixels, found 12 (fetch it again with: ...)
//
// Library code throws and never exits; `main` prints what() and returns 1 (2 for kUsage).
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace qlimit {

enum class ErrorKind {
  kUsage,        // a caller's argument is wrong: an option, a shape, a state
  kData,         // bytes from outside are not what they claim to be
  kIo,           // the operating system refused: missing file, full disk, no permission
  kNumeric,      // a value became infinite or not a number
  kUnsupported,  // a request that is well formed but has no implementation, for example in integers
};

/// The parts of an error message; empty ones are left out.
struct ErrorParts {
  std::string what;
  std::string where = {};
  std::string expected = {};
  std::string found = {};
  std::string hint = {};
};

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const ErrorParts& parts);
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

/// Concatenates its arguments as an output stream would print them.
template <typename... Args>
std::string concat(const Args&... args) {
  std::ostringstream out;
  (out << ... << args);
  return out.str();
}

}  // namespace qlimit
