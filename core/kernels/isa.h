// Instruction sets, and which one the kernels use.
//
// Every hot kernel is compiled once for each instruction set of the target architecture; the best one that
// the processor has is chosen at start. The environment variable QLIMIT_ISA=generic|neondot|avx2|avx512|
// avx512vnni forces one.
#pragma once

#include <string>
#include <vector>

namespace qlimit {

enum class Isa {
  kGeneric,     // what every processor of the architecture has: SSE2 on x86-64, NEON on AArch64
  kNeonDot,     // AArch64 with SDOT: dot products of bytes
  kAvx2,        // x86-64 with AVX2 and FMA
  kAvx512,      // x86-64 with AVX-512 F, BW, DQ and VL
  kAvx512Vnni,  // and with VNNI: dot products of bytes
};

const char* isa_name(Isa isa);

/// What this processor has and this build contains, the slowest first.
std::vector<Isa> supported_isas();

/// The one with this name. Throws kUsage for a name that none has, and if it is not supported.
Isa isa_named(const std::string& name);

/// The instruction set in use. Throws kUsage at the first call if QLIMIT_ISA names none or one that is not
/// supported.
Isa active_isa();

/// Chooses another one for the kernels called from now on: for tests and benchmarks. Throws kUsage if not
/// supported.
void set_active_isa(Isa isa);

}  // namespace qlimit
