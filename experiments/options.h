// The command line of an experiment. Every accepted option is honoured; an unknown one is an error that lists
// the known ones.
//
//   ./experiments/run micro_cifar --epochs 2 --seed 7 --output results/try
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace qlimit {

/// What a user may choose, with the values that hold if he does not; each experiment has defaults of its own.
struct Options {
  // Files
  std::string data = {};              // a folder, or "tiny"; empty: QLIMIT_DATA, then the user's cache
  std::filesystem::path output = {};  // the folder for results; created
  bool resume = false;                // go on from the checkpoint in `output`

  // Training
  int64_t epochs = 1;
  int64_t batch_size = 128;
  std::string optimizer = "adamw";     // adamw, adam, sgd
  double learning_rate = 0.01;         // the peak of the schedule
  std::string schedule = "one-cycle";  // one-cycle, cosine, step, constant
  double weight_decay = 0.01;
  double momentum = 0.9;  // of sgd
  double label_smoothing = 0;
  bool augment = true;     // random crops and flips, for data sets where they make sense
  int64_t limit = 0;       // train on the first so many images only; 0: all
  int64_t validation = 0;  // images split off the training set for the accuracy after each epoch
  uint64_t seed = 42;
  int64_t seeds = 1;  // how many runs, with seeds seed, seed+1, ...
  int threads = 0;    // 0: all processors

  // Quantization
  int64_t calibration_images = 512;
  std::string calibration = "min_max";  // min_max, moving_average, percentile, mse, entropy
  bool per_tensor = false;              // one scale for a layer's weights instead of one a channel

  // Report
  int64_t timed_calls = 1000;  // for each engine, with one image
  bool profile = false;        // show the time of each layer
  bool quiet = false;          // only the final table
  bool json = false;           // the result as JSON on standard output, everything else on standard error
  std::optional<double> require_accuracy =
      {};  // per cent; below it, or at a suspicious 100, the exit status is 1
};

/// Reads the arguments (without the program's name) over `defaults`. Prints the help to `out` and returns
/// nothing if it is asked for. Throws kUsage, in one line that names the option, for an unknown option, a
/// missing or misspelt value, and a value outside its range.
std::optional<Options> parse_options(const std::string& program, const std::string& description,
                                     const Options& defaults, const std::vector<std::string>& arguments,
                                     std::ostream& out);

}  // namespace qlimit
