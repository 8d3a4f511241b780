// Nets, methods, breaking points, and what remedies recover.
#include <algorithm>

#include "core/error.h"
#include "experiments/limit/methods.h"
#include "experiments/limit/report/breaking_point.h"
#include "experiments/limit/report/markdown.h"
#include "experiments/limit/report/recovery.h"
#include "experiments/limit/report/tables.h"
#include "experiments/limit/report/trainings.h"
#include "experiments/text_table.h"

namespace qlimit {
namespace {

constexpr size_t kMostListed = 10;
constexpr BitWidths kShownWidths[] = {{8, 8}, {6, 6}, {4, 8}, {4, 4}};

std::string description_of(const std::string& method) {
  const std::vector<Method>& all = limit_methods();
  const auto known = std::find_if(all.begin(), all.end(), [&](const Method& m) { return m.name == method; });
  return known == all.end() ? "" : known->description;
}

// All of them, or their number where a reader would not read on.
std::string list_of(const std::set<BitWidths, std::greater<>>& points) {
  if (points.size() > kMostListed) return concat(points.size(), " pairs of widths");
  std::string list;
  for (const BitWidths& bits : points) list += (list.empty() ? "" : ", ") + to_text(bits);
  return list;
}

// What a net loses by a method at some widths, and n; nothing without results.
std::optional<std::vector<std::string>> row_of_drops(const StudySummary& summary, const NetSize& net,
                                                     const std::string& method,
                                                     const std::set<BitWidths, std::greater<>>& widths) {
  std::vector<std::string> row = {net.shape, thousands(net.parameters), code(method)};
  FewestValues seeds;
  for (const BitWidths& bits : widths) {
    const BySeed drop = summary.drop(net, method, bits);
    row.push_back(to_text(estimate(drop)));
    seeds.add(drop.size());
  }
  if (seeds.none()) return std::nullopt;
  row.push_back(seeds.text());
  return row;
}

// The methods of one ladder, a column for each size of the shape.
MarkdownTable ladder_table(const StudySummary& summary, const std::string& shape, Ladder ladder) {
  MarkdownTable table{.columns = {"method"}};
  const std::vector<NetSize> nets = summary.nets(shape);
  for (const NetSize& net : nets) table.columns.push_back(thousands(net.parameters));
  table.columns.push_back("n");
  for (const std::string& method : summary.methods()) {
    if (!has_ladder(summary, method, ladder)) continue;
    std::vector<std::string> row = {code(method)};
    FewestValues seeds;
    for (const NetSize& net : nets) {
      const std::optional<BreakingPoint> point = breaking_point(summary, net, method, ladder);
      row.push_back(to_text(point));
      if (point) seeds.add(point->seeds);
    }
    if (seeds.none()) continue;
    row.push_back(seeds.text());
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace

std::string table_of_nets(const StudySummary& summary) {
  MarkdownTable table{
      .columns = {"shape", "width", "parameters", "multiply-adds", "epochs", "n", "fp32 accuracy, %"}};
  for (const BitWidths& bits : kShownWidths) table.columns.push_back(to_text(bits) + ": drop, points");
  for (const NetSize& net : summary.nets()) {
    const BySeed fp32 = summary.fp32(net);
    FewestValues seeds;
    seeds.add(fp32.size());
    std::vector<std::string> cells = {to_text(estimate(fp32))};
    for (const BitWidths& bits : kShownWidths) {
      const BySeed drop = summary.drop(net, kBaseline, bits);
      seeds.add(drop.size());
      cells.push_back(to_text(estimate(drop)));
    }
    std::vector<std::string> row = {
        net.shape,          concat(net.width), thousands(net.parameters), thousands(net.multiply_adds),
        concat(net.epochs), seeds.text()};
    row.insert(row.end(), cells.begin(), cells.end());
    table.rows.push_back(std::move(row));
  }
  return to_text(table);
}

std::string table_of_methods(const StudySummary& summary) {
  MarkdownTable table{.columns = {"method", "what it does", "measured at"}, .left_columns = 3};
  for (const std::string& method : summary.methods())
    table.rows.push_back({code(method), description_of(method), list_of(summary.points(method))});
  return to_text(table);
}

std::string table_of_breaking_points(const StudySummary& summary) {
  MarkdownTable table{.columns = {"shape", "parameters", "n"}};
  for (const Ladder ladder : kLadders) table.columns.emplace_back(ladder_name(ladder));
  for (const NetSize& net : summary.nets()) {
    std::vector<std::string> row = {net.shape, thousands(net.parameters)};
    FewestValues seeds;
    std::vector<std::string> cells;
    for (const Ladder ladder : kLadders) {
      const std::optional<BreakingPoint> point = breaking_point(summary, net, kBaseline, ladder);
      cells.push_back(to_text(point));
      if (point) seeds.add(point->seeds);
    }
    if (seeds.none()) continue;
    row.push_back(seeds.text());
    row.insert(row.end(), cells.begin(), cells.end());
    table.rows.push_back(std::move(row));
  }
  return to_text(table);
}

std::string tables_of_breaking_points_by_method(const StudySummary& summary) {
  std::string text;
  for (const Ladder ladder : kLadders) {
    for (const std::string& shape : summary.shapes()) {
      const MarkdownTable table = ladder_table(summary, shape, ladder);
      if (table.rows.empty()) continue;
      text += concat(text.empty() ? "" : "\n", "Bits of ", ladder_name(ladder), ", ", shape,
                     " nets by parameters:\n\n", to_text(table));
    }
  }
  return text.empty() ? kNoResults : text;
}

std::string table_of_recovery(const StudySummary& summary, const BitWidths& bits) {
  MarkdownTable table{.columns = {"remedy", "against"}, .left_columns = 2};
  for (const std::string& shape : summary.shapes())
    for (const SizeGroup& group : size_groups()) table.columns.push_back(shape + ", " + group.name);
  table.columns.push_back("n");
  for (const std::string& method : summary.methods()) {
    std::vector<std::string> row = {code(method), code(baseline_of(method))};
    FewestValues seeds;
    for (const std::string& shape : summary.shapes()) {
      for (const SizeGroup& group : size_groups()) {
        const BySeed share = recovered_share(summary, shape, group, method, bits);
        row.push_back(to_text(estimate(share), 0));
        seeds.add(share.size());
      }
    }
    if (seeds.none()) continue;
    row.push_back(seeds.text());
    table.rows.push_back(std::move(row));
  }
  return to_text(table);
}

std::string table_of_trainings(const StudySummary& summary) {
  const std::set<BitWidths, std::greater<>> widths = widths_of_trainings(summary);
  MarkdownTable table{.columns = {"shape", "parameters", "method"}, .left_columns = 3};
  for (const BitWidths& bits : widths) table.columns.push_back(to_text(bits));
  table.columns.push_back("n");
  for (const std::string& shape : summary.shapes())
    for (const NetSize& net : nets_with_trainings(summary, shape))
      for (const std::string& method : compared_with_trainings(summary))
        if (const auto row = row_of_drops(summary, net, method, widths)) table.rows.push_back(*row);
  return to_text(table);
}

}  // namespace qlimit
