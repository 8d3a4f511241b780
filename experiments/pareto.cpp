// Reads the results of the experiments and shows what quantization bought: a chart and a table.
//
//   pareto                          # results/{mnist_cnn,micro_cifar,standard_cifar}/result.json
//   pareto --output report a.json b.json

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "core/file.h"
#include "experiments/charts/experiment_result.h"
#include "experiments/charts/pareto_chart.h"
#include "experiments/command_line.h"
#include "experiments/program.h"

namespace qlimit {
namespace {

struct Options {
  std::filesystem::path results = "results";
  std::filesystem::path output = {};
  std::vector<std::filesystem::path> files = {};
};

constexpr const char* kExamples =
    "Examples:\n"
    "  pareto                                the three experiments, results/*/result.json\n"
    "  pareto --results results/avx2         the same from another folder\n"
    "  pareto a/result.json b/result.json    just these two\n";

std::optional<Options> parse(const std::vector<std::string>& arguments) {
  Options options;
  CLI::App app("Accuracy over latency of the three networks, in fp32 and in int8.", "pareto");
  app.add_option("--results", options.results, "folder with the experiments' folders")->capture_default_str();
  app.add_option(
      "--output", options.output,
      "folder for pareto_chart.png and pareto.md, created if need be [default: the results' folder]");
  app.add_option("FILE", options.files, "result files to compare instead of the three experiments'");
  app.footer(kExamples);
  if (!parse_command_line(app, arguments, std::cout)) return std::nullopt;
  return options;
}

void run(Options options) {
  if (options.files.empty()) {
    for (const char* experiment : {"mnist_cnn", "micro_cifar", "standard_cifar"}) {
      options.files.push_back(options.results / experiment / "result.json");
    }
  }
  if (options.output.empty()) options.output = options.results;
  std::vector<ExperimentResult> results;
  for (const std::filesystem::path& file : options.files) results.push_back(read_experiment_result(file));

  const std::string table = pareto_table(results);
  const Canvas chart = draw_pareto_chart(results);
  ensure_writable_folder(options.output);
  chart.write_png(options.output / "pareto_chart.png");
  write_file(options.output / "pareto.md", table);
  std::printf("%s\nwritten: %s\nwritten: %s\n", table.c_str(), (options.output / "pareto_chart.png").c_str(),
              (options.output / "pareto.md").c_str());
}

}  // namespace
}  // namespace qlimit

int main(int argc, char** argv) {
  return qlimit::run_program("pareto", [&] {
    const auto options = qlimit::parse({argv + 1, argv + argc});
    if (options) qlimit::run(*options);
    return 0;
  });
}
