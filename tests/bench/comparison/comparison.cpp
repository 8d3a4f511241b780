#include "tests/bench/comparison/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "experiments/text_table.h"

namespace qlimit {
namespace {

enum class Kind { kLatency, kThroughput, kMemory, kProducts };

struct Row {
  const char* work;
  Kind kind;
  const char* key;  // the beginning of its benchmarks' names
  double images;    // of one iteration
  double goal;      // of ours over the best peer's
};

// What is to be reached: at least so many times a rate, at most so many times a time or an amount.
constexpr Row kRows[] = {
    {"training micro, batch 128", Kind::kThroughput, "train/micro/batch:128", 128, 3.0},
    {"training standard, batch 128", Kind::kThroughput, "train/standard/batch:128", 128, 1.3},
    {"training mnist, batch 128", Kind::kThroughput, "train/mnist/batch:128", 128, 2.5},
    {"memory for training micro", Kind::kMemory, "train/micro/batch:128", 0, 1.0},
    {"memory for training standard", Kind::kMemory, "train/standard/batch:128", 0, 1.0},
    {"memory for training mnist", Kind::kMemory, "train/mnist/batch:128", 0, 1.0},
    {"fp32 micro, batch 1", Kind::kLatency, "fp32/micro/batch:1", 1, 0.6},
    {"fp32 standard, batch 1", Kind::kLatency, "fp32/standard/batch:1", 1, 1.0},
    {"fp32 standard, batch 256", Kind::kThroughput, "fp32/standard/batch:256", 256, 1.0},
    {"int8 mnist, batch 1", Kind::kLatency, "int8/mnist/batch:1", 1, 0.4},
    {"int8 micro, batch 1", Kind::kLatency, "int8/micro/batch:1", 1, 0.35},
    {"int8 micro, batch 256", Kind::kThroughput, "int8/micro/batch:256", 256, 2.0},
    {"int8 standard, batch 1", Kind::kLatency, "int8/standard/batch:1", 1, 1.0},
    {"int8 standard, batch 256", Kind::kThroughput, "int8/standard/batch:256", 256, 1.0},
    {"products of convolutions", Kind::kProducts, "conv_", 0, 1.0},
};

// A second thread must not make a single image slower; the rest is noise.
constexpr double kTwoThreads = 1.05;

constexpr const char* kOurs = "qlimit";

bool less_is_better(Kind kind) { return kind == Kind::kLatency || kind == Kind::kMemory; }

const char* unit(Kind kind) {
  switch (kind) {
    case Kind::kLatency:
      return "us";
    case Kind::kThroughput:
      return "images/s";
    case Kind::kMemory:
      return "MiB";
    case Kind::kProducts:
      break;
  }
  return "Gop/s";
}

Figure figure_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {.median = quantile(values, 0.5), .low = values.front(), .high = values.back()};
}

// The figure of a row that somebody's repetitions give.
std::optional<Figure> figure(const Row& row, const Measured& measured) {
  std::vector<double> values;
  if (row.kind == Kind::kMemory) {
    values = measured.resident_mib;
  } else {
    for (const double seconds : measured.seconds)
      values.push_back(row.kind == Kind::kLatency ? 1e6 * seconds : row.images / seconds);
  }
  if (values.empty()) return std::nullopt;
  return figure_of(values);
}

std::string prefix(const std::string& key, int threads) {
  return fmt::format("{}/threads:{}/", key, threads);
}

// Who did the work called "PREFIX<who>", with what.
std::map<std::string, const Measured*> who_did(const Samples& samples, const std::string& start) {
  std::map<std::string, const Measured*> found;
  for (auto it = samples.lower_bound(start); it != samples.end() && it->first.starts_with(start); ++it)
    found[it->first.substr(start.size())] = &it->second;
  return found;
}

ComparedWork blank(const Row& row, int threads) {
  return {.work = row.work,
          .unit = unit(row.kind),
          .threads = threads,
          .goal = row.goal,
          .less_is_better = less_is_better(row.kind)};
}

ComparedWork compare_one(const Row& row, int threads, const Samples& samples) {
  ComparedWork line = blank(row, threads);
  for (const auto& [who, measured] : who_did(samples, prefix(row.key, threads))) {
    const std::optional<Figure> theirs = figure(row, *measured);
    if (who == kOurs) line.ours = theirs;
    if (!theirs || who.starts_with(kOurs)) continue;
    const bool better =
        !line.peer_figure || (line.less_is_better ? theirs->median < line.peer_figure->median
                                                  : theirs->median > line.peer_figure->median);
    if (!better) continue;
    line.peer = who;
    line.peer_figure = theirs;
  }
  if (line.ours && line.peer_figure) line.ratio = line.ours->median / line.peer_figure->median;
  return line;
}

// Our latency with two threads, beside that with one.
std::optional<ComparedWork> compare_threads(const std::string& type, const std::string& net,
                                            const Samples& samples) {
  const Row latency = {"", Kind::kLatency, "", 1, kTwoThreads};
  const auto ours = [&](int threads) -> std::optional<Figure> {
    const auto found = samples.find(prefix(type + "/" + net + "/batch:1", threads) + kOurs);
    if (found == samples.end()) return std::nullopt;
    return figure(latency, found->second);
  };
  ComparedWork line = blank(latency, 2);
  line.work = type + " " + net + ", batch 1, threads";
  line.peer = "ours with 1";
  line.peer_figure = ours(1);
  line.ours = ours(2);
  if (!line.ours || !line.peer_figure) return std::nullopt;
  line.ratio = line.ours->median / line.peer_figure->median;
  return line;
}

double geometric_mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double x : values) sum += std::log(x);
  return std::exp(sum / static_cast<double>(values.size()));
}

// Geometric means over all convolutions that both have multiplied: the rates of the nets of the peers' study,
// micro and standard.
ComparedWork compare_products(const Row& row, int threads, const Samples& samples) {
  ComparedWork line = blank(row, threads);
  struct Rates {
    std::vector<double> median, low, high;

    void add(const Figure& f) {
      median.push_back(f.median);
      low.push_back(f.low);
      high.push_back(f.high);
    }
    Figure mean() const { return {geometric_mean(median), geometric_mean(low), geometric_mean(high)}; }
  } ours, theirs;
  const std::string end = fmt::format("/threads:{}/{}", threads, kOurs);
  for (const auto& [name, measured] : samples) {
    const bool is_one = name.starts_with(row.key) && name.ends_with(end) && !measured.gigaops.empty() &&
                        name.find("/mnist/") == std::string::npos;
    if (!is_one) continue;
    const std::string work = name.substr(0, name.size() - std::string(kOurs).size());
    for (const auto& [who, peer] : who_did(samples, work)) {
      if (who == kOurs || peer->gigaops.empty()) continue;
      theirs.add(figure_of(peer->gigaops));
      line.peer = who;
    }
    ours.add(figure_of(measured.gigaops));
  }
  if (!ours.median.empty()) line.ours = ours.mean();
  if (!ours.median.empty() && ours.median.size() == theirs.median.size()) {
    line.peer_figure = theirs.mean();
    line.ratio = line.ours->median / line.peer_figure->median;
  }
  return line;
}

std::string number(double x) {
  if (x >= 1000) return thousands(std::llround(x));
  return fmt::format("{:.{}f}", x, x < 10 ? 2 : x < 100 ? 1 : 0);
}

TextRow figure_cells(const std::optional<Figure>& f) {
  if (!f) return {"", ""};
  return {number(f->median), fmt::format("{} ... {}", number(f->low), number(f->high))};
}

// Google Benchmark writes "NaN" and "-NaN" for figures that it could not compute; JSON has no such numbers.
std::string with_null_for_nan(std::string json) {
  for (const std::string nan : {": NaN", ": -NaN"}) {
    for (size_t at = json.find(nan); at != std::string::npos; at = json.find(nan, at))
      json.replace(at, nan.size(), ": null");
  }
  return json;
}

}  // namespace

void add_samples(std::string_view results, Samples& samples) {
  const std::map<std::string, double> units = {{"ns", 1e-9}, {"us", 1e-6}, {"ms", 1e-3}, {"s", 1}};
  try {
    const auto json = nlohmann::json::parse(with_null_for_nan(std::string(results)));
    for (const nlohmann::json& one : json.at("benchmarks")) {
      if (one.at("run_type") != "iteration" || one.value("error_occurred", false)) continue;
      std::string name = one.at("run_name");
      for (const char* appended : {"/real_time", "/manual_time", "/repeats:"})
        name = name.substr(0, name.find(appended));
      Measured& measured = samples[name];
      measured.seconds.push_back(one.at("real_time").get<double>() * units.at(one.at("time_unit")));
      if (one.contains("Gop/s")) measured.gigaops.push_back(one["Gop/s"]);
      if (one.contains("resident_MiB")) measured.resident_mib.push_back(one["resident_MiB"]);
    }
  } catch (const std::exception& error) {
    throw Error(ErrorKind::kData, {.what = "not the results of a benchmark", .found = error.what()});
  }
}

std::vector<ComparedWork> compare(const Samples& samples, const Samples& single_images) {
  std::vector<ComparedWork> lines;
  for (const Row& row : kRows) {
    for (const int threads : {1, 2}) {
      const ComparedWork line = row.kind == Kind::kProducts ? compare_products(row, threads, samples)
                                                            : compare_one(row, threads, samples);
      if (line.ours) lines.push_back(line);
    }
  }
  for (const char* type : {"fp32", "int8"}) {
    for (const char* net : {"mnist", "micro", "standard"}) {
      if (const auto line = compare_threads(type, net, single_images)) lines.push_back(*line);
    }
  }
  return lines;
}

std::string to_text(const std::vector<ComparedWork>& lines) {
  std::vector<TextRow> rows = {{"work", "best peer", "threads", "unit", "peer", "lowest ... highest", "ours",
                                "lowest ... highest", "ratio", "to reach", "reached"}};
  bool lacks_peers = false;
  for (const ComparedWork& line : lines) {
    lacks_peers = lacks_peers || !line.peer_figure;
    TextRow row = {line.work, line.peer_figure ? line.peer : "none here", fmt::format("{}", line.threads),
                   line.unit};
    for (const auto& f : {line.peer_figure, line.ours}) {
      const TextRow cells = figure_cells(f);
      row.insert(row.end(), cells.begin(), cells.end());
    }
    row.push_back(line.ratio ? fmt::format("{:.2f} x", *line.ratio) : "");
    row.push_back(fmt::format("{} {:.2f} x", line.less_is_better ? "at most" : "at least", line.goal));
    row.push_back(!line.ratio ? "" : line.reached() ? "yes" : "no");
    rows.push_back(row);
  }
  const std::string note =
      "Medians of the repetitions; the ratio is ours over the best peer's. Products: geometric means.\n"
      "The last lines: a single image with two threads must not take longer than with one.\n";
  const std::string hint =
      "Some work has no peer here. On Debian `scripts/install peers` brings oneDNN, XNNPACK and PyTorch;\n"
      "QLIMIT_PYTHON=/usr/bin/python3:other/bin/python names the interpreters whose PyTorch is wanted.\n";
  return text_table(rows, 2) + note + (lacks_peers ? hint : "");
}

}  // namespace qlimit
