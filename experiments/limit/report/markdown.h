// Tables of the study's page.
#pragma once

#include <string>
#include <vector>

namespace qlimit {

struct MarkdownTable {
  std::vector<std::string> columns;
  size_t left_columns = 1;  // so many to the left, the others to the right
  std::vector<std::vector<std::string>> rows = {};
};

/// Lines from the head to the last row; a sentence instead of a table without rows.
std::string to_text(const MarkdownTable& table);

/// `name`
std::string code(const std::string& name);

/// What stands in the place of a figure that is not known.
inline constexpr const char* kUnknown = "–";

/// What stands in the place of a table or a chart that has nothing to show.
inline constexpr const char* kNoResults = "*There are no results for this yet.*\n";

}  // namespace qlimit
