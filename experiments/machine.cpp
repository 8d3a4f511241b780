#include "experiments/machine.h"

#include <sys/resource.h>
#include <sys/utsname.h>

#include <algorithm>
#include <fstream>
#include <string_view>
#include <thread>

#include "core/error.h"
#include "core/kernels/isa.h"
#include "git_revision.h"

namespace qlimit {
namespace {

constexpr const char* kUnknown = "unknown";

// The text after the separator in the first line that starts with `key`, without quotes and spaces around it.
std::string field(const char* path, std::string_view key, char separator) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key)) continue;
    const size_t at = line.find(separator);
    if (at == std::string::npos) continue;
    const size_t begin = line.find_first_not_of(" \t\"", at + 1);
    const size_t end = line.find_last_not_of(" \t\"");
    if (begin != std::string::npos && end >= begin) return line.substr(begin, end - begin + 1);
  }
  return kUnknown;
}

std::string system_name() {
  std::string name = field("/etc/os-release", "PRETTY_NAME", '=');
  utsname kernel{};
  if (::uname(&kernel) == 0) name += concat(", ", kernel.sysname, " ", kernel.machine);
  return name;
}

std::string compiler_name() {
#if defined(__clang__)
  return concat("Clang ", __clang_major__, ".", __clang_minor__, ".", __clang_patchlevel__, ", ", kBuildType);
#elif defined(__GNUC__)
  return concat("GCC ", __GNUC__, ".", __GNUC_MINOR__, ".", __GNUC_PATCHLEVEL__, ", ", kBuildType);
#else
  return kUnknown;
#endif
}

}  // namespace

int64_t peak_resident_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return int64_t{1024} * usage.ru_maxrss;
}

Machine describe_machine() {
  Machine machine;
  machine.processor = field("/proc/cpuinfo", "model name", ':');
  machine.instruction_set = isa_name(active_isa());
  machine.processors = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  machine.system = system_name();
  machine.compiler = compiler_name();
  machine.git_revision = kGitRevision;
  return machine;
}

}  // namespace qlimit
