// .tflite files from arbitrary bytes: an Error, or a graph that compiles, runs, and is the same after it was
// written and read again.

#include <cstdlib>
#include <string>
#include <string_view>

#include "core/error.h"
#include "quant/tflite/read.h"
#include "quant/tflite/write.h"
#include "tests/quant/tflite/bounded_run.h"

namespace {

using namespace qlimit;

void compile_or_refuse(const QuantizedGraph& graph) {
  try {
    compile_and_run(graph);
  } catch (const Error& error) {
    // What the kernels may refuse: sums beyond 32 bits, too much memory, too many classes.
    if (error.kind() != ErrorKind::kNumeric && error.kind() != ErrorKind::kUnsupported) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  QuantizedGraph graph;
  try {
    graph = read_tflite({reinterpret_cast<const char*>(data), size}, "fuzz");
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kUsage) std::abort();  // for callers' mistakes, not for files
    return 0;
  }
  compile_or_refuse(graph);
  const std::string bytes = write_tflite(graph).bytes;
  if (write_tflite(read_tflite(bytes, "again")).bytes != bytes) std::abort();
  return 0;
}
