#include "experiments/limit/report/program.h"

#include <fmt/format.h>

#include "core/file.h"
#include "experiments/command_line.h"
#include "experiments/limit/report/report.h"
#include "experiments/limit/report/template.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxPageBytes = 1 << 20;
constexpr const char* kExamples =
    "Examples:\n"
    "  limit_report                                        the study in results/limit_study\n"
    "  limit_report results/limit_study_quick/results.jsonl\n"
    "  limit_report docs/study/results.jsonl --champions docs/champions --output docs\n"
    "                                                      the page of this project\n";

std::string text_of(const fs::path& path) {
  const std::vector<uint8_t> bytes =
      read_file(path, kMaxPageBytes, "start it in the project's folder, or say where with --template");
  return {bytes.begin(), bytes.end()};
}

}  // namespace

std::optional<LimitReportOptions> parse_limit_report_options(const std::vector<std::string>& arguments,
                                                             std::ostream& out) {
  LimitReportOptions options;
  CLI::App app("Charts, tables and the page of the limit study, from its results.", "limit_report");
  app.option_defaults()->take_last();
  app.get_formatter()->column_width(36);
  app.footer(kExamples);
  app.add_option("RESULTS", options.results, "the results of limit_study")->capture_default_str();
  app.add_option("--champions", options.champions, "the results of champion, if there are any")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
  app.add_option("--template", options.page, "the page whose placeholders are filled")->capture_default_str();
  app.add_option("--output", options.output,
                 "folder for study.md and study/, created if need be [default: the results' folder]");
  if (!parse_command_line(app, arguments, out)) return std::nullopt;
  if (options.output.empty()) options.output = options.results.parent_path();
  return options;
}

void run_limit_report(const LimitReportOptions& options) {
  const std::string results = read_limit_text(options.results);
  const StudySummary summary(parse_limit_results(results, options.results.string()));
  const Report report = make_report(summary, read_champions(options.champions));
  const std::string page = fill_template(text_of(options.page), report.texts, options.page.string());

  const fs::path folder = options.output / kStudyFolder;
  ensure_writable_folder(folder);
  for (const auto& [name, chart] : report.charts) {
    const fs::path path = folder / (name + ".png");
    chart.write_png(path);
    fmt::print("written: {}\n", path.string());
  }
  write_file(folder / "results.jsonl", results);
  write_file(options.output / "study.md", page);
  fmt::print("written: {}\n", (options.output / "study.md").string());
}

}  // namespace qlimit
