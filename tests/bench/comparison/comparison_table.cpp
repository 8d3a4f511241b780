// comparison_table SINGLE_IMAGES.json RESULT.json...: prints the table of what benchmarks have measured
// (tests/bench/compare runs them). The first file has our latencies with one thread and with two.
#include <fmt/format.h>

#include "core/file.h"
#include "experiments/program.h"
#include "tests/bench/comparison/comparison.h"

constexpr uint64_t kLargestFile = 64 << 20;

int main(int argc, char** argv) {
  return qlimit::run_program("comparison_table", [&] {
    qlimit::Samples single_images, samples;
    for (int i = 1; i < argc; ++i) {
      const auto bytes = qlimit::read_file(argv[i], kLargestFile);
      qlimit::add_samples({reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                          i == 1 ? single_images : samples);
    }
    fmt::print("{}", qlimit::to_text(qlimit::compare(samples, single_images)));
    return 0;
  });
}
