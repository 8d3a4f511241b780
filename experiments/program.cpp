#include "experiments/program.h"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <new>

#include "core/error.h"

namespace qlimit {
namespace {

constexpr int kFailure = 1;
constexpr int kUsageFailure = 2;

}  // namespace

int run_program(const std::string& name, const std::function<int()>& body) {
  const auto fail = [&](const char* message, int status) {
    std::fflush(stdout);  // what was said before the failure stands before it
    fmt::print(stderr, "{}: {}\n", name, message);
    return status;
  };
  try {
    const int status = body();
    // A full disk behind a redirection must not look like success.
    if (std::fflush(stdout) != 0 || std::ferror(stdout))
      return fail("cannot write to standard output", kFailure);
    return status;
  } catch (const Error& error) {
    return fail(error.what(), error.kind() == ErrorKind::kUsage ? kUsageFailure : kFailure);
  } catch (const std::bad_alloc&) {
    return fail("out of memory", kFailure);
  } catch (const std::exception& error) {
    return fail(error.what(), kFailure);
  }
}

}  // namespace qlimit
