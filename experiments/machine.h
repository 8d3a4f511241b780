// Where and with what a result was measured: part of every result file, because a latency without its machine
// says nothing.
#pragma once

#include <string>

namespace qlimit {

struct Machine {
  std::string processor;  // "AMD EPYC 7B13"
  std::string
      instruction_set;   // the widest that this program could use: "avx512-vnni", "avx2", "neon", "generic"
  int processors = 1;    // hardware threads that this process may use
  std::string system;    // "Debian GNU/Linux 12 (bookworm), Linux 6.1.0 x86_64"
  std::string compiler;  // "GCC 12.2.0, Release"
  std::string git_revision;  // of the sources when built, with "-dirty" after local changes; or "unknown"
};

/// Asks the system. What it does not tell is "unknown"; never throws.
Machine describe_machine();

}  // namespace qlimit
