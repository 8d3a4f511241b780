#include "quant/quantized_model.h"

#include <algorithm>

#include "quant/int8_kernels.h"
#include "quant/kernels/quantize.h"

namespace qlimit {
namespace {

std::vector<CompiledNode<int8_t>> compile_all(const QuantizedGraph& q) {
  std::vector<CompiledNode<int8_t>> compiled;
  for (size_t i = 0; i < q.graph.nodes.size(); ++i) compiled.push_back(compile_int8(q, i));
  return compiled;
}

template <typename Numbers>
void append(std::string& bytes, const Numbers& numbers) {
  bytes.append(reinterpret_cast<const char*>(numbers.data()),
               static_cast<size_t>(numbers.size()) * sizeof(*numbers.data()));
}

}  // namespace

QuantizedModel::QuantizedModel(QuantizedGraph quantized)
    : quantized_(std::move(quantized)), program_(quantized_.graph, compile_all(quantized_)) {}

void QuantizedModel::run_int8(const int8_t* images, int64_t batch, int8_t* outputs, Workspace& workspace,
                              const Probe<int8_t>* probe) const {
  const int64_t in = program_.input_size();
  const int64_t out = program_.output_size();
  const auto load = [&](int64_t image, int8_t* to) { std::copy_n(images + image * in, in, to); };
  const auto store = [&](int64_t image, const int8_t* from) {
    std::copy_n(from, out, outputs + image * out);
  };
  program_.run(batch, std::ref(load), std::ref(store), workspace, probe);
}

void QuantizedModel::run(const float* images, int64_t batch, float* outputs, Workspace& workspace,
                         const Probe<int8_t>* probe) const {
  const AffineParams in_params = params(graph().input);
  const AffineParams out_params = params(graph().output);
  const int64_t in = program_.input_size();
  const int64_t out = program_.output_size();
  const auto load = [&](int64_t image, int8_t* to) {
    int8::quantize(in_params, images + image * in, in, to);
  };
  const auto store = [&](int64_t image, const int8_t* from) {
    int8::dequantize(out_params, from, out, outputs + image * out);
  };
  program_.run(batch, std::ref(load), std::ref(store), workspace, probe);
}

Tensor<float> QuantizedModel::run(const Tensor<float>& images, const Probe<int8_t>* probe) const {
  const int64_t batch = batch_size(graph(), images.shape());
  Tensor<float> outputs =
      Tensor<float>::uninitialized(with_batch(graph().value(graph().output).shape, batch));
  Workspace workspace = make_workspace(batch);
  run(images.data(), batch, outputs.data(), workspace, probe);
  return outputs;
}

ModelSize QuantizedModel::size() const {
  ModelSize size;
  for (const QuantizedFilter& filter : quantized_.filters) {
    size.weights += filter.weight.size();
    size.biases += static_cast<int64_t>(filter.bias.size() * sizeof(int32_t));
  }
  for (size_t i = 0; i < graph().nodes.size(); ++i) {
    size.quantization += quantization_bytes(quantized_, i);
  }
  const auto activations = 1 + graph().nodes.size();
  size.quantization += static_cast<int64_t>(activations * sizeof(AffineParams));
  return size;
}

std::string QuantizedModel::fingerprint() const {
  std::string bytes = to_string(graph());
  append(bytes, quantized_.params);
  for (const QuantizedFilter& filter : quantized_.filters) {
    append(bytes, filter.weight);
    append(bytes, filter.scales);
    append(bytes, filter.bias);
  }
  bytes += concat(static_cast<int>(quantized_.rounding));
  return bytes;
}

}  // namespace qlimit
