// comparison_table RESULT.json...: prints the table of what benchmarks have measured (tests/bench/compare
// runs them).
#include <fmt/format.h>

#include "core/file.h"
#include "experiments/program.h"
#include "tests/bench/comparison/comparison.h"

constexpr uint64_t kLargestFile = 64 << 20;

int main(int argc, char** argv) {
  return qlimit::run_program("comparison_table", [&] {
    qlimit::Samples samples;
    for (int i = 1; i < argc; ++i) {
      const auto bytes = qlimit::read_file(argv[i], kLargestFile);
      qlimit::add_samples({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, samples);
    }
    fmt::print("{}", qlimit::to_text(qlimit::compare(samples)));
    return 0;
  });
}
