// Runs a .tflite model and shows what it does: `run_tflite --help`.
#include <iostream>

#include "experiments/inference/inference.h"
#include "experiments/program.h"

int main(int argc, char** argv) {
  return qlimit::run_program("run_tflite", [&] {
    const auto options = qlimit::parse_inference_options({argv + 1, argv + argc}, std::cout);
    return options ? qlimit::run_inference(*options) : 0;
  });
}
