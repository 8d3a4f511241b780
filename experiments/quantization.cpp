#include "experiments/quantization.h"

#include "core/error.h"
#include "quant/calibrate.h"
#include "quant/passes.h"
#include "quant/quantize.h"
#include "quant/trace.h"

namespace qlimit {
namespace {

constexpr int64_t kLargestBatch = 256;  // of those that are measured: memory is planned once
constexpr int64_t kNoiseImages = 128;

template <typename Model>
Engine engine_of(const std::string& name, std::shared_ptr<const Model> model) {
  const auto workspace = std::make_shared<Workspace>(model->make_workspace(kLargestBatch));
  const Shape output = model->graph().value(model->graph().output).shape;
  return {.name = name, .run = [=](const Tensor<float>& images) {
            const int64_t runs = run_count(model->graph(), images.shape());
            Tensor<float> logits = Tensor<float>::uninitialized(repeated(output, runs));
            model->run(images.data(), runs, logits.data(), *workspace);
            return logits;
          }};
}

// A Graph or a QuantizedGraph as a file.
template <typename AnyGraph>
ExportedModel exported(const AnyGraph& graph) {
  try {
    return {.file = write_tflite(graph), .refusal = {}};
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUnsupported) throw;
    return {.file = {}, .refusal = error.what()};
  }
}

std::shared_ptr<const FloatExecutor> folded(Layer& model, const Shape& images) {
  Graph graph = trace(model, images);
  run_passes(graph);
  return std::make_shared<const FloatExecutor>(graph);
}

QuantizedGraph without_integers(const Graph& graph) {
  return {.graph = graph,
          .params = std::vector<AffineParams>(graph.values.size()),
          .filters = std::vector<QuantizedFilter>(graph.nodes.size())};
}

CompiledModels both(const std::shared_ptr<const FloatExecutor>& fp32,
                    const std::shared_ptr<const QuantizedModel>& int8, std::vector<LayerNoise> noise) {
  return {.fp32_graph = without_integers(fp32->graph()),
          .int8_graph = int8->quantized(),
          .fp32 = make_engine("compiled fp32", fp32),
          .fp32_export = exported(fp32->graph()),
          .int8 = make_engine("int8", int8),
          .int8_export = exported(int8->quantized()),
          .int8_fingerprint = int8->fingerprint(),
          .noise = std::move(noise)};
}

}  // namespace

Engine make_engine(const std::string& name, std::shared_ptr<const FloatExecutor> model) {
  return engine_of(name, std::move(model));
}

Engine make_engine(const std::string& name, std::shared_ptr<const QuantizedModel> model) {
  return engine_of(name, std::move(model));
}

CompiledModels compile(Layer& model, const Dataset& train, const Normalization& normalization,
                       const Options& options) {
  const Tensor<float> images = first_images(train, normalization, options.calibration_images);
  const auto fp32 = folded(model, images.shape());
  const Ranges ranges =
      calibrate(*fp32, images, {.observer = {.method = calibration_method(options.calibration)}});
  const QuantizeOptions rules{.weights =
                                  options.per_tensor ? Granularity::kPerTensor : Granularity::kPerChannel};
  const auto int8 = std::make_shared<const QuantizedModel>(quantize(fp32->graph(), ranges, rules));
  return both(fp32, int8, layer_noise(*fp32, *int8, first_images(train, normalization, kNoiseImages)));
}

CompiledModels compile_trained(Layer& model, QuantizedGraph int8_graph) {
  const Shape image = int8_graph.graph.value(int8_graph.graph.input).shape;
  return both(folded(model, image), std::make_shared<const QuantizedModel>(std::move(int8_graph)), {});
}

}  // namespace qlimit
