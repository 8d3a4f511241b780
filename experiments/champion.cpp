// The best int8 models that we know how to train, each at its size. `champion --help`.
#include <iostream>

#include "experiments/champion/runner.h"
#include "experiments/program.h"

int main(int argc, char** argv) {
  return qlimit::run_program("champion", [&] {
    const auto options = qlimit::parse_champion_options({argv + 1, argv + argc}, std::cout);
    if (options) qlimit::run_champion(*options);
    return 0;
  });
}
