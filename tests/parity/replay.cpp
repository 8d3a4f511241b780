// parity_replay RUNTIME KERNELS CASES OUTPUTS: reads the models of a container of cases
// (tests/support/model_cases.h), runs each as RUNTIME (litert, tflite_micro, ...) would, with KERNELS
// ("reference" or an instruction set), and writes the outputs, in order, each a u32 little-endian length and
// its bytes. The output of a model that cannot be read or run is empty; why is said on standard error.
//
// parity_replay --kernels: what this machine has, the reference first, the fastest instruction set last.
// parity_replay --latency MODEL: microseconds of 1,000 runs of a .tflite file on one thread, one a line.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "core/kernels/isa.h"
#include "core/parallel.h"
#include "experiments/program.h"
#include "quant/tflite/read.h"
#include "tests/support/model_cases.h"

namespace qlimit {
namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& name) {
  throw Error(ErrorKind::kUsage, {.what = what, .where = "parity_replay", .found = name});
}

Runtime runtime_named(const std::string& name) {
  for (Runtime runtime :
       {Runtime::kTflite, Runtime::kLiteRt, Runtime::kTfliteMicro, Runtime::kSingleRounding}) {
    if (name == to_string(runtime)) return runtime;
  }
  refuse("no runtime of this name", name);
}

Kernels choose_kernels(const std::string& name) {
  if (name == "reference") return Kernels::kReference;
  for (Isa isa : supported_isas()) {
    if (name != isa_name(isa)) continue;
    set_active_isa(isa);
    return Kernels::kFast;
  }
  refuse("no kernels of this name", name);
}

void append_record(std::string& records, const std::string& record) {
  const auto size = static_cast<uint32_t>(record.size());
  records.append(reinterpret_cast<const char*>(&size), sizeof(size));
  records += record;
}

void replay_all(Runtime runtime, Kernels kernels, const std::string& cases, const std::string& outputs) {
  std::string records;
  for (const ModelCase& c : read_model_cases(cases)) {
    std::string output;
    try {
      output = replay(c, runtime, kernels);
    } catch (const Error& error) {
      std::cerr << c.name << ": " << error.what() << "\n";
    }
    append_record(records, output);
  }
  write_file(outputs, records);
}

void print_latencies(const std::string& path) {
  constexpr int kWarmUp = 100, kCalls = 1000;
  set_thread_count(1);  // as the interpreters that it is compared with
  const std::vector<uint8_t> bytes = read_file(path, uint64_t{1} << 30);
  const QuantizedModel model(read_tflite({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path));
  const Graph& graph = model.graph();
  const std::string input(stored_bytes(graph.value(graph.input)), '\0');
  std::string output(stored_bytes(graph.value(graph.output)), '\0');
  Workspace workspace = model.make_workspace();
  for (int call = -kWarmUp; call < kCalls; ++call) {
    const auto start = std::chrono::steady_clock::now();
    model.run_stored(input.data(), 1, output.data(), workspace);
    const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - start;
    if (call >= 0) std::cout << time.count() << "\n";
  }
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() == 1 && arguments[0] == "--kernels") {
    std::cout << "reference\n";
    for (Isa isa : supported_isas()) std::cout << isa_name(isa) << "\n";
  } else if (arguments.size() == 2 && arguments[0] == "--latency") {
    print_latencies(arguments[1]);
  } else if (arguments.size() == 4) {
    replay_all(runtime_named(arguments[0]), choose_kernels(arguments[1]), arguments[2], arguments[3]);
  } else {
    std::cerr << "usage: parity_replay RUNTIME KERNELS CASES OUTPUTS | --kernels | --latency MODEL\n";
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace qlimit

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  return qlimit::run_program("parity_replay", [&] { return qlimit::run(arguments); });
}
