// Where and with what a result was measured: part of every result file, because a latency without its machine
// says nothing.
#pragma once

#include <cstdint>
#include <string>

namespace qlimit {

struct Machine {
  std::string processor = {};        // "AMD EPYC 7B13"
  std::string instruction_set = {};  // that the kernels use: "avx512", "avx2", "generic"
  int processors = 1;                // hardware threads
  std::string system = {};           // "Debian GNU/Linux 12 (bookworm), Linux x86_64"
  std::string compiler = {};         // "GCC 12.2.0, Release"
  std::string git_revision = {};     // of the sources when built, with "-dirty" after changes; or "unknown"
};

/// The most memory that this process ever had in use, as the system counts it: in bytes, whole pages.
int64_t peak_resident_bytes();

/// Asks the system; what it does not tell is "unknown".
Machine describe_machine();

}  // namespace qlimit
