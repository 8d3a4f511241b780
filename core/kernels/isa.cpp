#include "core/kernels/isa.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <string>

#include "core/error.h"

#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace qlimit {
namespace {

constexpr Isa kAll[] = {Isa::kGeneric, Isa::kNeonDot, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Vnni};

bool is_supported(Isa isa) {
  switch (isa) {
    case Isa::kGeneric:
      return true;
#if defined(__x86_64__)
    case Isa::kAvx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case Isa::kAvx512:
      return is_supported(Isa::kAvx2) && __builtin_cpu_supports("avx512f") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl");
    case Isa::kAvx512Vnni:
      return is_supported(Isa::kAvx512) && __builtin_cpu_supports("avx512vnni");
#endif
#if defined(__aarch64__) && defined(__linux__)
    case Isa::kNeonDot:
      return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#endif
    default:
      break;
  }
  return false;
}

Isa checked(Isa isa) {
  if (!is_supported(isa)) {
    throw Error(ErrorKind::kUsage, {.what = "this processor lacks an instruction set that was asked for",
                                    .expected = concat(isa_name(supported_isas().back()), " at most"),
                                    .found = isa_name(isa)});
  }
  return isa;
}

Isa initial_isa() {
  const char* wanted = std::getenv("QLIMIT_ISA");
  return wanted && *wanted ? isa_named(wanted) : supported_isas().back();
}

std::atomic<Isa>& active() {
  static std::atomic<Isa> isa{initial_isa()};
  return isa;
}

}  // namespace

const char* isa_name(Isa isa) {
  switch (isa) {
    case Isa::kNeonDot:
      return "neondot";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
    case Isa::kAvx512Vnni:
      return "avx512vnni";
    case Isa::kGeneric:
      break;
  }
  return "generic";
}

std::vector<Isa> supported_isas() {
  std::vector<Isa> isas;
  std::copy_if(std::begin(kAll), std::end(kAll), std::back_inserter(isas), is_supported);
  return isas;
}

Isa isa_named(const std::string& name) {
  for (Isa isa : kAll) {
    if (name == isa_name(isa)) return checked(isa);
  }
  throw Error(ErrorKind::kUsage, {.what = "no such instruction set",
                                  .where = "QLIMIT_ISA",
                                  .expected = "generic, neondot, avx2, avx512 or avx512vnni",
                                  .found = name});
}

Isa active_isa() { return active().load(std::memory_order_relaxed); }

void set_active_isa(Isa isa) { active() = checked(isa); }

}  // namespace qlimit
