// Where does quantization break, and what saves it? `limit_study --help`.
#include <iostream>

#include "experiments/limit/program.h"
#include "experiments/program.h"

int main(int argc, char** argv) {
  return qlimit::run_program("limit_study", [&] {
    const auto options = qlimit::parse_limit_options({argv + 1, argv + argc}, std::cout);
    return options ? qlimit::run_limit_study(*options) : 0;
  });
}
