#include "quant/trace.h"

#include <any>
#include <map>
#include <unordered_map>

#include "core/error.h"
#include "core/tape.h"
#include "layers/batch_norm2d.h"
#include "layers/pointwise.h"

namespace qlimit {
namespace {

template <typename Options>
const Options& options_of(const Operation& operation) {
  const Options* options = std::any_cast<Options>(&operation.options);
  if (options) return *options;
  throw Error(ErrorKind::kUsage, {.what = "an operation on the tape has options of an unexpected type",
                                  .where = operation.name,
                                  .hint = "record it with the options type that quant/trace.cpp reads"});
}

/// How each operation of the layers is read, by its name on the tape.
using Reader = Op (*)(const Operation&, const Shape& output);
const std::map<std::string, Reader>& readers() {
  static const std::map<std::string, Reader> all = {
      {"conv2d", [](const Operation& o, const Shape&) -> Op { return op::Conv2D{options_of<Window>(o)}; }},
      {"depthwise_conv2d",
       [](const Operation& o, const Shape&) -> Op { return op::DepthwiseConv2D{options_of<Window>(o)}; }},
      {"dense", [](const Operation&, const Shape&) -> Op { return op::Dense{}; }},
      {"batch_norm",
       [](const Operation& o, const Shape&) -> Op {
         return op::BatchNorm{options_of<BatchNormOptions>(o).epsilon};
       }},
      {"max_pool2d",
       [](const Operation& o, const Shape&) -> Op { return op::MaxPool2D{options_of<Window>(o)}; }},
      {"average_pool2d",
       [](const Operation& o, const Shape&) -> Op { return op::AveragePool2D{options_of<Window>(o)}; }},
      {"global_average_pool",
       [](const Operation&, const Shape&) -> Op {
         return op::Mean{.axes = {1, 2}};
       }},
      {"add", [](const Operation&, const Shape&) -> Op { return op::Add{}; }},
      {"relu", [](const Operation&, const Shape&) -> Op { return op::Clamp{Activation::kRelu}; }},
      {"relu6", [](const Operation&, const Shape&) -> Op { return op::Clamp{Activation::kRelu6}; }},
      {"sigmoid", [](const Operation&, const Shape&) -> Op { return op::Logistic{}; }},
      {"tanh", [](const Operation&, const Shape&) -> Op { return op::Tanh{}; }},
      {"softmax", [](const Operation&, const Shape&) -> Op { return op::Softmax{}; }},
      {"flatten",
       [](const Operation&, const Shape& output) -> Op { return op::Reshape{with_batch(output, 1)}; }},
  };
  return all;
}

Op read_operation(const Variable& result) {
  const Operation& operation = result.operation();
  if (const auto reader = readers().find(operation.name); reader != readers().end()) {
    return reader->second(operation, result.shape());
  }
  if (const Pointwise* pointwise = std::any_cast<Pointwise>(&operation.options)) {
    return op::Pointwise{operation.name, pointwise->function};
  }
  throw Error(ErrorKind::kUnsupported,
              {.what = "this operation has no form in an inference graph",
               .where = operation.name,
               .hint = "write it with pointwise() if it works element by element; otherwise teach it to "
                       "quant/trace.cpp, quant/graph.h and the executors"});
}

/// The names that the model gives to its parameters.
std::unordered_map<const void*, std::string> parameter_names(const Layer& model) {
  std::unordered_map<const void*, std::string> names;
  for (const Parameter& parameter : model.parameters()) names[parameter.variable.id()] = parameter.name;
  return names;
}

}  // namespace

Graph trace(Layer& model, const Tensor<float>& images) {
  const Variable input = Variable::constant(images);
  const Variable output = [&] {
    const EvaluationMode evaluation(model);
    return model(input);
  }();

  Graph graph;
  std::unordered_map<const void*, ValueId> ids;
  ids[input.id()] = graph.add_input("input", with_batch(images.shape(), 1));
  const auto names = parameter_names(model);
  const auto id_of = [&](const Variable& variable) {
    const auto known = ids.find(variable.id());
    if (known != ids.end()) return known->second;
    const auto name = names.find(variable.id());
    const ValueId id =
        graph.add_constant(name != names.end() ? name->second : "constant", variable.value().clone());
    ids[variable.id()] = id;
    return id;
  };

  for (const Variable& result : operations_of(output)) {
    if (result.is_leaf()) continue;
    std::vector<ValueId> inputs;
    for (const Variable& operand : result.inputs()) inputs.push_back(id_of(operand));
    ids[result.id()] = graph.add(read_operation(result), std::move(inputs));
  }
  if (graph.nodes.empty()) {
    throw Error(ErrorKind::kUsage, {.what = "the model left no operation on the tape",
                                    .where = "trace",
                                    .hint = "is the tape off, or does the model compute nothing?"});
  }
  graph.output = ids.at(output.id());
  validate(graph);
  return graph;
}

Graph trace(Layer& model, const Shape& input) { return trace(model, Tensor<float>(with_batch(input, 1))); }

}  // namespace qlimit
