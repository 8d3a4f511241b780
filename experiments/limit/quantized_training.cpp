#include "experiments/limit/quantized_training.h"

namespace qlimit {

QuantizedGraph train_quantized(const TrainedNet& net, const StudyPlan& plan, const StudyData& data,
                               const Tensor<float>& images, const Recipe& recipe, const BitWidths& bits) {
  FakeQuantizedModel model(net.traced(), images,
                           {.weight_bits = bits.weights,
                            .activation_bits = bits.activations,
                            .weights = recipe.scales,
                            .dense_weights = recipe.scales,
                            .scheme = recipe.trains.value()});
  TrainingSettings settings = training_settings(plan, net.key);
  settings.epochs = plan.quantized_epochs;
  settings.learning_rate = plan.quantized_learning_rate;
  Training training(model, data.train, data.normalization, settings);
  run_silently(training);
  return model.convert();
}

}  // namespace qlimit
