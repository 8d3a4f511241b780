// Reads the results of the experiments and shows what quantization bought: a chart and a table.
//
//   pareto                          # results/{mnist_cnn,micro_cifar,standard_cifar}/result.json
//   pareto --output report a.json b.json

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "experiments/charts/pareto_chart.h"
#include "experiments/charts/study_result.h"

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

void describe(CLI::App& app, Options& options) {
  app.add_option("--results", options.results, "folder with the experiments' folders")->capture_default_str();
  app.add_option(
      "--output", options.output,
      "folder for pareto_chart.png and pareto.md, created if need be [default: the results' folder]");
  app.add_option("FILE", options.files, "result files to compare instead of the three experiments'");
  app.footer(kExamples);
}

void run(Options options) {
  if (options.files.empty()) {
    for (const char* experiment : {"mnist_cnn", "micro_cifar", "standard_cifar"}) {
      options.files.push_back(options.results / experiment / "result.json");
    }
  }
  if (options.output.empty()) options.output = options.results;
  std::vector<qlimit::StudyResult> results;
  for (const std::filesystem::path& file : options.files) results.push_back(qlimit::read_study_result(file));

  const std::string table = qlimit::pareto_table(results);
  const qlimit::Canvas chart = qlimit::draw_pareto_chart(results);
  qlimit::ensure_writable_folder(options.output);
  chart.write_png(options.output / "pareto_chart.png");
  qlimit::write_file(options.output / "pareto.md", table);
  std::printf("%s\nwritten: %s\nwritten: %s\n", table.c_str(), (options.output / "pareto_chart.png").c_str(),
              (options.output / "pareto.md").c_str());
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Accuracy over latency of the three networks, in fp32 and in int8.", "pareto");
  describe(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    std::fprintf(stderr, "pareto: %s (see --help)\n", error.what());
    return 2;
  }
  try {
    run(options);
  } catch (const qlimit::Error& error) {
    std::fprintf(stderr, "pareto: %s\n", error.what());
    return error.kind() == qlimit::ErrorKind::kUsage ? 2 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "pareto: %s\n", error.what());
    return 1;
  }
  return 0;
}
