// Bytes, layers, calibration.
#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "experiments/limit/report/byte_trade.h"
#include "experiments/limit/report/markdown.h"
#include "experiments/limit/report/recovery.h"
#include "experiments/limit/report/sensitivity.h"
#include "experiments/limit/report/tables.h"
#include "experiments/text_table.h"

namespace qlimit {
namespace {

constexpr BitWidths kEightBits = {.weights = 8, .activations = 8};
constexpr BitWidths kFourBitWeights = {.weights = 4, .activations = 8};

std::string whole_text(double number) { return thousands(std::llround(number)); }

std::string bytes_text(const std::optional<double>& bytes) { return bytes ? whole_text(*bytes) : ""; }

// One net with one method, and what it is ahead of another.
std::vector<std::string> row_of_net(const StudySummary& summary, const NetSize& net,
                                    const std::string& method, const BitWidths& bits, const BySeed& other) {
  const BySeed accuracy = summary.accuracy(net, method, bits), ahead = paired_difference(accuracy, other);
  FewestValues seeds;
  seeds.add(accuracy.size());
  seeds.add(ahead.size());
  return {net.shape,
          to_text(bits),
          code(method),
          thousands(net.parameters),
          bytes_text(summary.bytes(net, method, bits.weights)),
          seeds.text(),
          to_text(estimate(accuracy)),
          to_text(estimate(ahead))};
}

void add_layer_rows(MarkdownTable& table, const std::vector<LayerMean>& layers) {
  std::vector<std::string> names;
  for (const LayerMean& layer : layers)
    if (std::find(names.begin(), names.end(), layer.name) == names.end()) names.push_back(layer.name);
  for (const std::string& name : names) {
    std::vector<std::string> row = {code(name)};
    for (const SizeGroup& group : size_groups()) {
      std::vector<double> damages, ratios;
      for (const LayerMean& layer : layers) {
        if (layer.name != name || !group.holds(layer.net)) continue;
        damages.push_back(layer.damage);
        ratios.push_back(layer.sqnr_db);
      }
      row.push_back(damages.empty() ? "" : to_text(mean(damages), 2));
      row.push_back(ratios.empty() ? "" : to_text(mean(ratios), 1));
    }
    table.rows.push_back(std::move(row));
  }
}

}  // namespace

std::string table_of_ten_or_twenty(const StudySummary& summary) {
  MarkdownTable table{.columns = {"shape", "widths", "method", "parameters", "bytes", "n", "accuracy, %",
                                  "ahead of the small net in 8 bits, points"},
                      .left_columns = 3};
  for (const std::string& shape : summary.shapes()) {
    const NetSize small = nearest_net(summary, shape, kSmallNet);
    const NetSize large = nearest_net(summary, shape, kLargeNet);
    const BySeed in_8_bits = summary.accuracy(small, kBaseline, kEightBits);
    if (small.width == large.width || in_8_bits.empty()) continue;
    table.rows.push_back(row_of_net(summary, small, kBaseline, kEightBits, {}));
    for (const std::string& method : summary.methods())
      if (!summary.accuracy(large, method, kFourBitWeights).empty())
        table.rows.push_back(row_of_net(summary, large, method, kFourBitWeights, in_8_bits));
  }
  return to_text(table);
}

std::string table_of_same_bytes(const StudySummary& summary) {
  MarkdownTable table{.columns = {"shape", "method", "bytes", "parameters in 4 bits", "parameters in 8 bits",
                                  "n", "W4A8 accuracy, %", "ahead of 8 bits, points"},
                      .left_columns = 2};
  for (const std::string& shape : summary.shapes()) {
    std::vector<std::string> methods = {kBaseline};
    if (const std::string best = best_remedy(summary, shape, kFourBitWeights); !best.empty())
      methods.push_back(best);
    for (const std::string& method : methods) {
      for (const ByteTrade& trade : byte_trades(summary, shape, method, kFourBitWeights)) {
        table.rows.push_back({shape, code(method), whole_text(trade.bytes), thousands(trade.net.parameters),
                              whole_text(trade.parameters_of_8_bits), concat(trade.gain.size()),
                              to_text(estimate(trade.narrow)), to_text(estimate(trade.gain))});
      }
    }
  }
  return to_text(table);
}

std::string table_of_noise(const StudySummary& summary) {
  MarkdownTable table{.columns = {"shape", "nets", "n", "rank correlation"}};
  for (const std::string& shape : summary.shapes()) {
    const std::optional<Estimate> correlation = mean_noise_correlation(summary, shape);
    if (!correlation) continue;
    table.rows.push_back(
        {shape, concat(count_correlated(summary, shape)), concat(correlation->count), to_text(correlation)});
  }
  return to_text(table);
}

std::string tables_of_layers(const StudySummary& summary) {
  std::string text;
  for (const std::string& shape : summary.shapes()) {
    MarkdownTable table{.columns = {"layer"}};
    for (const SizeGroup& group : size_groups()) {
      table.columns.push_back(group.name + ": lost, points");
      table.columns.emplace_back("SQNR, dB");
    }
    add_layer_rows(table, layer_means(summary, shape));
    if (table.rows.empty()) continue;
    text += concat(text.empty() ? "" : "\n", "Nets of the shape ", shape, ":\n\n", to_text(table));
  }
  return text.empty() ? kNoResults : text;
}

std::string table_of_calibration(const StudySummary& summary) {
  MarkdownTable table{.columns = {"shape", "parameters", "widths", "observer", "n"}, .left_columns = 1};
  const std::set<int64_t> sizes = summary.calibration_sizes();
  for (const int64_t images : sizes) table.columns.push_back(thousands(images) + " images");
  for (const NetSize& net : summary.nets()) {
    for (const BitWidths& bits : summary.calibration_points()) {
      for (const std::string& method : summary.calibration_methods()) {
        std::vector<std::string> row = {net.shape, thousands(net.parameters), to_text(bits), code(method)};
        std::vector<std::string> cells;
        FewestValues seeds;
        for (const int64_t images : sizes) {
          const BySeed drop = summary.calibration_drop(net, method, images, bits);
          cells.push_back(to_text(estimate(drop)));
          seeds.add(drop.size());
        }
        if (seeds.none()) continue;
        row.push_back(seeds.text());
        row.insert(row.end(), cells.begin(), cells.end());
        table.rows.push_back(std::move(row));
      }
    }
  }
  return to_text(table);
}

}  // namespace qlimit
