#include "experiments/limit/report/markdown.h"

namespace qlimit {
namespace {

std::string line_of(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& cell : cells) line += " " + cell + " |";
  return line + "\n";
}

}  // namespace

std::string code(const std::string& name) { return "`" + name + "`"; }

std::string to_text(const MarkdownTable& table) {
  if (table.rows.empty()) return kNoResults;
  std::vector<std::string> rule;
  for (size_t i = 0; i < table.columns.size(); ++i) rule.push_back(i < table.left_columns ? "---" : "---:");
  std::string text = line_of(table.columns) + line_of(rule);
  for (const std::vector<std::string>& row : table.rows) text += line_of(row);
  return text;
}

}  // namespace qlimit
