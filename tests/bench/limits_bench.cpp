// What the machine can do at most with the active instruction set: the limits that every other figure stands
// under. QLIMIT_ISA=avx2 shows those of another one.
//
//   tests/run --bench --benchmark_filter=limit
#include <benchmark/benchmark.h>

#include <string>

#include "core/kernels/isa.h"
#include "core/kernels/peak.h"
#include "core/parallel.h"

namespace qlimit {
namespace {

// The measurement takes its own time: one iteration is the best of many, and only the counter tells
// something.
void multiply_adds(benchmark::State& state, Arithmetic arithmetic) {
  set_thread_count(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    state.counters["Gop/s"] = 2e-9 * peak_multiply_adds(arithmetic);
  }
}

void read(benchmark::State& state, int64_t bytes) {
  set_thread_count(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    state.counters["GB/s"] = 1e-9 * peak_read_bandwidth(bytes);
  }
}

void register_all(int all_threads) {
  const auto threads = [&](benchmark::internal::Benchmark* b) {
    b->ArgName("threads")->Arg(1)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);
    if (all_threads > 1) b->Arg(all_threads);
  };
  threads(benchmark::RegisterBenchmark("limit/fp32", multiply_adds, Arithmetic::kReal));
  threads(benchmark::RegisterBenchmark("limit/int8", multiply_adds, Arithmetic::kInt8));
  constexpr struct {
    const char* name;
    int64_t bytes;
  } kLevels[] = {{"limit/read_L1/16KiB", 16 << 10},
                 {"limit/read_L2/512KiB", 512 << 10},
                 {"limit/read_L3/6MiB", 6 << 20},
                 {"limit/read_DRAM/256MiB", 256 << 20}};
  for (const auto& level : kLevels) threads(benchmark::RegisterBenchmark(level.name, read, level.bytes));
}

}  // namespace
}  // namespace qlimit

int main(int argc, char** argv) {
  qlimit::register_all(qlimit::thread_count());
  benchmark::AddCustomContext("instruction_set", qlimit::isa_name(qlimit::active_isa()));
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
