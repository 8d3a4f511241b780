// The program limit_report: from results.jsonl to the page of the study with its charts.
//
//   limit_report                                             results/limit_study: study.md, study/*.png
//   limit_report docs/study/results.jsonl --champions docs/champions --output docs
//                                                            the page of this project
#pragma once

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace qlimit {

struct LimitReportOptions {
  std::filesystem::path results = "results/limit_study/results.jsonl";
  std::filesystem::path champions = "results/champion";
  std::filesystem::path page = "docs/study.template.md";
  std::filesystem::path output = {};  // empty: the folder of the results
};

/// Reads the arguments (without the program's name). Prints the help to `out` and returns nothing if it is
/// asked for. Throws kUsage, in one line, for what it does not understand.
std::optional<LimitReportOptions> parse_limit_report_options(const std::vector<std::string>& arguments,
                                                             std::ostream& out);

/// Writes study.md, study/NAME.png and study/results.jsonl, a copy of what was read. Nothing is written if
/// the results or the page are not as they should be.
void run_limit_report(const LimitReportOptions& options);

}  // namespace qlimit
