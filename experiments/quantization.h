// From a trained model to the two that are compared: the compiled float graph and its int8 twin.
//
//   trace -> fold batch norm, fuse activations -> FloatExecutor                (quant/trace.h, passes.h)
//                                              -> calibrate -> QuantizedModel  (quant/calibrate.h, quantize.h)
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/normalize.h"
#include "experiments/measure.h"
#include "experiments/options.h"
#include "experiments/report.h"
#include "layers/layer.h"
#include "quant/float_executor.h"
#include "quant/quantized_model.h"
#include "quant/tflite/write.h"

namespace qlimit {

/// A model as a .tflite file. Layers of one's own may have no form there: then the file is empty, and
/// `refusal` says why.
struct ExportedModel {
  TfliteFile file;
  std::string refusal;
};

struct CompiledModels {
  QuantizedGraph fp32_graph;  // without integers
  QuantizedGraph int8_graph;
  Engine fp32;
  ExportedModel fp32_export;
  Engine int8;
  ExportedModel int8_export;
  std::string int8_fingerprint;   // all that decides about its results, as bytes
  std::vector<LayerNoise> noise;  // of the int8 model, on calibration images
};

/// What runs a compiled model on batches, with memory of its own.
Engine make_engine(const std::string& name, std::shared_ptr<const FloatExecutor> model);
Engine make_engine(const std::string& name, std::shared_ptr<const QuantizedModel> model);

/// Compiles a trained model both ways; the training images calibrate the scales of the activations. Takes
/// from the options the number of these images, the method and the granularity of the weights' scales.
CompiledModels compile(Layer& model, const Dataset& train, const Normalization& normalization,
                       const Options& options);

/// The same with integers that a training with quantization has made of the model (quant/training). They
/// differ from the float model by more than noise: `noise` is empty.
CompiledModels compile_trained(Layer& model, QuantizedGraph int8_graph);

}  // namespace qlimit
