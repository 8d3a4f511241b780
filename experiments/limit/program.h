// The program limit_study: which jobs, in which folder, and what is said meanwhile.
//
//   limit_study                      all jobs; goes on where it stopped
//   limit_study --list               the jobs, with numbers
//   limit_study --job 17             one of them, and the training that it needs
//   limit_study --from results.jsonl goes on from results of an earlier run, on whatever machine it was
#pragma once

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "experiments/limit/plan.h"

namespace qlimit {

struct LimitOptions {
  bool list = false;
  bool parts = false;               // print ranges for --jobs that belong together, for schedulers
  std::string job = {};             // a number or a name; empty: all
  std::string jobs = {};            // "3-17"
  std::filesystem::path from = {};  // results.jsonl of an earlier run, to go on from
  bool quick = false;
  bool quiet = false;
  std::string data = {};              // as of the other experiments
  std::filesystem::path output = {};  // empty: results/limit_study, or with the plan's name behind it
  int threads = 0;                    // 0: one a processor
};

/// Reads the arguments (without the program's name). Prints the help to `out` and returns nothing if it is
/// asked for. Throws kUsage, in one line, for what it does not understand.
std::optional<LimitOptions> parse_limit_options(const std::vector<std::string>& arguments, std::ostream& out);

/// The plan that the options ask for: tiny if the data are, quick, or full.
StudyPlan chosen_plan(const LimitOptions& options);

/// Does what the options say. Returns the exit status: 1 if a job failed, after the others are done.
int run_limit_study(const LimitOptions& options);

}  // namespace qlimit
