// Our speed beside that of the fastest other library, work by work, and what is to be reached.
//
//   Samples samples;
//   add_samples(text_of_a_result_file, samples);      // any number of them
//   std::cout << to_text(compare(samples));
//
// Results are those that Google Benchmark writes (--benchmark_out). A benchmark's name says who did which
// work: "int8/micro/batch:1/threads:2/onednn"; ours are "qlimit". Only what was measured side by side, in one
// run on one machine, may be compared.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/statistics.h"

namespace qlimit {

/// All repetitions of one benchmark.
struct Measured {
  std::vector<double> seconds;       // of one iteration
  std::vector<double> gigaops;       // a second; empty if the benchmark does not say it
  std::vector<double> resident_mib;  // peak, less what the process had at its start; likewise
};

/// By name, without what Google Benchmark appends ("/real_time").
using Samples = std::map<std::string, Measured>;

/// Adds the repetitions in one result file. Throws kData if it is none. Google Benchmark writes NaN for the
/// relative deviation of counters that are 0, which JSON does not know: it counts as null.
void add_samples(std::string_view results, Samples& samples);

/// A median, with the lowest and the highest of the repetitions.
struct Figure {
  double median = 0, low = 0, high = 0;
};

/// One line of the table: one kind of work with one number of threads.
struct ComparedWork {
  std::string work;  // "int8 micro, batch 1"
  std::string unit;  // "us", "images/s", ...
  int threads = 1;
  std::string peer = {};  // the best one's name; empty if there is none
  std::optional<Figure> peer_figure = {};
  std::optional<Figure> ours = {};
  std::optional<double> ratio = {};  // ours over the best peer's
  double goal = 0;                   // of the ratio
  bool less_is_better = false;       // the ratio has to be at most the goal, or else at least

  bool reached() const { return ratio && (less_is_better ? *ratio <= goal : *ratio >= goal); }
};

/// The table's lines in their order; those without a figure of ours are left out. single_images: latencies with
/// one thread and with two, measured side by side; they do not go with those of `samples`, which were measured
/// beside the peers at another time.
std::vector<ComparedWork> compare(const Samples& samples, const Samples& single_images = {});

/// As a table, and a line about how to get peers if some have none.
std::string to_text(const std::vector<ComparedWork>& lines);

}  // namespace qlimit
