#include "layers/summary.h"

#include <algorithm>
#include <iomanip>
#include <map>
#include <set>

#include "core/tape.h"
#include "layers/require.h"

namespace qlimit {
namespace {

std::string with_commas(int64_t number) {
  std::string digits = std::to_string(number);
  for (int64_t at = static_cast<int64_t>(digits.size()) - 3; at > 0; at -= 3) digits.insert(at, 1, ',');
  return digits;
}

std::string without_batch(const Shape& shape) {
  const std::string text = shape.to_string();
  return concat("[-", text.substr(std::min(text.find_first_of(",]"), text.size())));
}

}  // namespace

Summary summarize(Layer& model, const Shape& input) {
  require_shape(input.rank() >= 1 && input[0] == 1, "summarize", "a batch of one image, [1,...]", input);
  const EvaluationMode evaluation(model);
  const Variable x = Variable::constant(Tensor<Real>(input));
  const Variable output = model(x);
  if (output.is_leaf() && output.id() != x.id()) {
    throw Error(ErrorKind::kUsage, {.what = "a model cannot be summarized while the tape is off"});
  }

  Summary summary;
  summary.rows.push_back({.name = "input", .output = input});
  std::map<std::string, int> count;
  std::set<const void*> counted;
  for (const Variable& node : operations_of(output)) {
    if (node.is_leaf()) continue;
    const Operation& operation = node.operation();
    SummaryRow row{.name = concat(operation.name, "_", ++count[operation.name]),
                   .output = node.shape(),
                   .multiply_adds = operation.multiply_adds};
    for (const Variable& leaf : node.inputs()) {
      if (leaf.is_leaf() && leaf.wants_grad() && counted.insert(leaf.id()).second)
        row.parameters += leaf.shape().size();
    }
    summary.multiply_adds += row.multiply_adds;
    summary.rows.push_back(std::move(row));
  }
  for (const Parameter& parameter : model.parameters())
    summary.parameters += parameter.variable.shape().size();
  return summary;
}

std::string Summary::to_string() const {
  size_t name_width = 22, output_width = 18;
  for (const SummaryRow& row : rows) {
    name_width = std::max(name_width, row.name.size() + 2);
    output_width = std::max(output_width, without_batch(row.output).size() + 2);
  }
  std::ostringstream text;
  const auto line = [&](const std::string& name, const std::string& output,
                        const std::string& parameter_count, const std::string& work) {
    text << std::left << std::setw(static_cast<int>(name_width)) << name
         << std::setw(static_cast<int>(output_width)) << output << std::right << std::setw(12)
         << parameter_count << std::setw(16) << work << '\n';
  };
  const std::string rule(name_width + output_width + 28, '-');
  line("operation", "output", "parameters", "multiply-adds");
  text << rule << '\n';
  for (const SummaryRow& row : rows)
    line(row.name, without_batch(row.output), with_commas(row.parameters), with_commas(row.multiply_adds));
  text << rule << '\n';
  line("total", "", with_commas(parameters), with_commas(multiply_adds));
  return text.str();
}

}  // namespace qlimit
