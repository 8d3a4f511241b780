#include "quant/tflite/read.h"

#include <utility>

#include "core/error.h"
#include "quant/tflite/operator_reader.h"

namespace qlimit {
namespace {

size_t at(int32_t index) { return static_cast<size_t>(index); }

/// The one input or output of a model.
int32_t only(const std::vector<int32_t>& tensors, const char* what, const GraphInProgress& graph) {
  if (tensors.size() != 1) {
    graph.fail(ErrorKind::kUnsupported, concat("a model with one ", what, " is needed"), "graph", "1",
               concat(tensors.size()));
  }
  return tensors[0];
}

/// For each tensor the operator that computes it, or -1.
std::vector<int> find_producers(const TfliteModel& file, int32_t input, const GraphInProgress& graph) {
  std::vector<int> producers(file.tensors.size(), -1);
  for (size_t i = 0; i < file.operators.size(); ++i) {
    for (const int32_t tensor : file.operators[i].outputs) {
      const TfliteTensor& computed = file.tensors[at(tensor)];
      if (producers[at(tensor)] >= 0 || computed.is_constant() || tensor == input) {
        graph.fail(ErrorKind::kData,
                   concat("'", computed.name, "' is computed though it has a value already"),
                   concat("operator ", i, " (", file.operators[i].name, ")"));
      }
      producers[at(tensor)] = static_cast<int>(i);
    }
  }
  return producers;
}

/// Whether the output needs an operator. Each operator stands after those it reads, or the file is refused,
/// so one pass from the end finds them all, and cycles too.
std::vector<bool> find_needed(const TfliteModel& file, int32_t input, int32_t output,
                              const GraphInProgress& graph) {
  const std::vector<int> producers = find_producers(file, input, graph);
  std::vector<bool> needed(file.operators.size(), false);
  const auto need = [&](int32_t tensor, size_t reader) {
    const int producer = producers[at(tensor)];
    const TfliteTensor& read = file.tensors[at(tensor)];
    const std::string where = reader < needed.size()
                                  ? concat("operator ", reader, " (", file.operators[reader].name, ")")
                                  : "graph";
    if (producer >= static_cast<int>(reader)) {
      graph.fail(ErrorKind::kData, concat("'", read.name, "' is read before it is computed"), where);
    }
    if (producer < 0 && !read.is_constant() && tensor != input) {
      graph.fail(ErrorKind::kData, concat("'", read.name, "' is never computed"), where);
    }
    if (producer >= 0) needed[at(producer)] = true;
  };
  need(output, file.operators.size());
  for (size_t i = file.operators.size(); i-- > 0;) {
    if (!needed[i]) continue;
    for (size_t k = 0; k < file.operators[i].inputs.size(); ++k) {
      const int32_t tensor = file.operators[i].inputs[k];
      if (tensor >= 0 && !is_new_shape(file.operators[i], k)) need(tensor, i);
    }
  }
  return needed;
}

void refuse_unknown_operations(const TfliteModel& file, const std::vector<bool>& needed) {
  for (size_t i = 0; i < needed.size(); ++i) {
    if (!needed[i] || find_operation(file.operators[i].code)) continue;
    throw Error(ErrorKind::kUnsupported, {.what = concat(file.operators[i].name, " is not supported"),
                                          .where = concat(file.file, ", operator ", i),
                                          .hint = concat("supported are ", supported_operations())});
  }
}

}  // namespace

QuantizedGraph read_tflite(std::string_view bytes, const std::string& name) {
  const TfliteModel file = parse_tflite(bytes, name);
  GraphInProgress graph(file);
  const int32_t input = only(file.inputs, "input", graph);
  const int32_t output = only(file.outputs, "output", graph);
  const std::vector<bool> needed = find_needed(file, input, output, graph);
  refuse_unknown_operations(file, needed);
  if (file.tensors[at(input)].is_constant()) graph.fail(ErrorKind::kData, "the input is a constant", "graph");

  graph.result.graph.input = graph.add_activation(input, "the input");
  for (size_t i = 0; i < needed.size(); ++i) {
    if (!needed[i]) continue;
    OperatorReader op(graph, i);
    find_operation(file.operators[i].code)(op);
  }
  graph.result.graph.output = graph.values[at(output)];
  if (graph.result.graph.nodes.empty())
    graph.fail(ErrorKind::kUnsupported, "the model computes nothing", "graph");
  validate(graph.result);
  return std::move(graph.result);
}

}  // namespace qlimit
