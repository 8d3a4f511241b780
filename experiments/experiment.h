// The pipeline that the experiments share: train, quantize, measure, report.
//
//   read the data -> train (experiments/train.h) -> trace, fold, calibrate, quantize (quant/)
//     -> measure the three engines (experiments/measure.h)
//     -> tables, pictures and result.json (experiments/report.h)
//
// An experiment is one of these structs and a main function of a few lines; see experiments/micro_cifar.cpp.
#pragma once

#include <memory>
#include <string>

#include "data/augment.h"
#include "experiments/options.h"
#include "layers/sequential.h"

namespace qlimit {

struct Experiment {
  std::string name;         // "micro_cifar": of the program, the result folder and the result file
  std::string description;  // for --help
  std::string dataset;      // as load_dataset knows it
  std::unique_ptr<Sequential> (*make_model)(Random&);
  Augmentation augmentation;  // what --augment switches on
  Options defaults;
};

/// The whole main function: reads the command line, runs the experiment, prints errors. Returns the exit status:
/// 0, 1 for a failure or an accuracy that --require-accuracy refuses, 2 for wrong usage.
int run_experiment(const Experiment& experiment, int argc, char** argv);

}  // namespace qlimit
