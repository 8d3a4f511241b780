#include "experiments/train.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/checksum.h"
#include "core/error.h"
#include "core/kernels/isa.h"
#include "layers/softmax_cross_entropy.h"
#include "optim/adam.h"
#include "optim/adamw.h"
#include "optim/sgd.h"

namespace qlimit {
namespace {

bool all_finite(const Tensor<Real>& tensor) {
  return std::all_of(tensor.begin(), tensor.end(), [](Real x) { return std::isfinite(x); });
}

// The names of the first few tensors of a model that hold an infinity or not-a-number; empty if none does.
std::string non_finite_tensors(const Layer& model) {
  constexpr size_t kShown = 3;
  std::vector<std::string> names;
  for (const Parameter& parameter : model.parameters()) {
    if (!all_finite(parameter.variable.value())) names.push_back(parameter.name);
  }
  for (const Buffer& buffer : model.buffers()) {
    if (!all_finite(buffer.tensor)) names.push_back(buffer.name);
  }
  std::string text;
  for (size_t i = 0; i < std::min(kShown, names.size()); ++i) text += (i > 0 ? ", " : "") + names[i];
  if (names.size() > kShown) text += concat(" and ", names.size() - kShown, " more");
  return text;
}

int64_t count_correct(const Tensor<float>& logits, const std::vector<uint8_t>& labels) {
  const std::vector<uint8_t> predicted = predicted_classes(logits);
  int64_t correct = 0;
  for (size_t i = 0; i < labels.size(); ++i) correct += predicted[i] == labels[i];
  return correct;
}

}  // namespace

Training::Training(Layer& model, const Dataset& train, const Normalization& normalization,
                   const TrainingSettings& settings, TrainingHooks hooks)
    : model_(model),
      settings_(settings),
      hooks_(std::move(hooks)),
      loader_(train, {.batch_size = settings.batch_size,
                      .seed = settings.seed,
                      .shuffle = true,
                      .augmentation = settings.augmentation,
                      .normalization = normalization}),
      data_identity_({{"data set", train.name},
                      {"training images", concat(train.size())},
                      {"checksum of the labels", concat(crc32(train.labels))}}),
      optimizer_(make_optimizer(settings, model)),
      rate_(make_schedule(settings, settings.epochs * loader_.batches_per_epoch())) {}

EpochRecord Training::run_epoch(Progress& progress) {
  EpochProgress sums;  // loss and accuracy times images
  double learning_rate = 0;
  model_.set_training(true);
  loader_.start_epoch(epochs_done());
  for (Batch batch; loader_.next(batch);) {
    learning_rate = step(batch, sums);
    const auto images = static_cast<double>(sums.images);
    progress.update({.images = sums.images, .loss = sums.loss / images, .accuracy = sums.accuracy / images});
  }
  const std::string broken = non_finite_tensors(model_);
  if (!broken.empty()) check_loss(std::nan(""));
  const auto images = static_cast<double>(sums.images);
  return {.train_loss = sums.loss / images,
          .train_accuracy = sums.accuracy / images,
          .learning_rate = learning_rate};
}

double Training::step(const Batch& batch, EpochProgress& sums) {
  optimizer_->zero_grad();
  const Variable logits = model_(Variable::constant(batch.images));
  const Variable loss = this->loss(logits, batch);
  check_loss(loss.value()[0]);
  backward(loss);
  const double learning_rate = rate_(optimizer_->steps());
  optimizer_->step(learning_rate);
  if (hooks_.after_step) hooks_.after_step();

  sums.images += batch.size();
  sums.loss += static_cast<double>(loss.value()[0]) * static_cast<double>(batch.size());
  sums.accuracy += static_cast<double>(count_correct(logits.value(), batch.labels));
  return learning_rate;
}

Variable Training::loss(const Variable& logits, const Batch& batch) const {
  if (hooks_.loss) return hooks_.loss(logits, batch);
  return softmax_cross_entropy(logits, batch.labels, settings_.label_smoothing);
}

void Training::check_loss(double loss) const {
  if (std::isfinite(loss)) return;
  const std::string broken = non_finite_tensors(model_);
  const int64_t step_in_epoch = optimizer_->steps() - epochs_done() * loader_.batches_per_epoch() + 1;
  throw Error(ErrorKind::kNumeric,
              {.what = "the training has diverged",
               .where = concat("epoch ", epochs_done() + 1, ", step ", step_in_epoch),
               .expected = "a finite loss",
               .found = concat(loss, broken.empty() ? "" : "; not finite: " + broken),
               .hint = concat("the learning rate is probably too high: it is ", rate_(optimizer_->steps()),
                              " here; try a smaller --learning-rate than ", settings_.learning_rate)});
}

SettingsList Training::identity() const {
  SettingsList all = describe(settings_);
  all.insert(all.end(), hooks_.settings.begin(), hooks_.settings.end());
  all.insert(all.end(), data_identity_.begin(), data_identity_.end());
  all.push_back({"instruction set", isa_name(active_isa())});  // another one adds in another order
  return all;
}

SettingsList describe(const TrainingSettings& settings) {
  const auto text = [](auto value) {
    return fmt::format("{}", value);
  };  // the shortest that reads back the same
  SettingsList list = {{"epochs", text(settings.epochs)}, {"batch size", text(settings.batch_size)},
                       {"optimizer", settings.optimizer}, {"learning rate", text(settings.learning_rate)},
                       {"schedule", settings.schedule},   {"weight decay", text(settings.weight_decay)}};
  if (settings.optimizer == "sgd") list.push_back({"momentum", text(settings.momentum)});
  list.push_back({"label smoothing", text(settings.label_smoothing)});
  list.push_back({"crop padding", text(settings.augmentation.pad)});
  list.push_back({"flip", settings.augmentation.flip ? "yes" : "no"});
  if (settings.augmentation.cutout > 0) list.push_back({"cutout", text(settings.augmentation.cutout)});
  list.push_back({"seed", text(settings.seed)});
  return list;
}

std::unique_ptr<Optimizer> make_optimizer(const TrainingSettings& settings, const Layer& model) {
  const std::vector<Parameter> parameters = model.parameters();
  if (settings.optimizer == "adamw")
    return std::make_unique<AdamW>(parameters, AdamOptions{.weight_decay = settings.weight_decay});
  if (settings.optimizer == "adam")
    return std::make_unique<Adam>(parameters, AdamOptions{.weight_decay = settings.weight_decay});
  if (settings.optimizer == "sgd") {
    return std::make_unique<Sgd>(
        parameters, SgdOptions{.momentum = settings.momentum, .weight_decay = settings.weight_decay});
  }
  throw Error(ErrorKind::kUsage,
              {.what = "unknown optimizer", .expected = "adamw, adam or sgd", .found = settings.optimizer});
}

Schedule make_schedule(const TrainingSettings& settings, int64_t steps) {
  const double rate = settings.learning_rate;
  // One step cannot rise and fall.
  if (settings.schedule == "one-cycle" && steps >= 2) return one_cycle(steps, {.peak = rate});
  if (settings.schedule == "cosine") return cosine_decay(rate, steps);
  if (settings.schedule == "step") return step_decay(rate, std::max<int64_t>(1, (steps + 2) / 3));
  if (settings.schedule == "constant" || settings.schedule == "one-cycle") return constant_rate(rate);
  throw Error(ErrorKind::kUsage, {.what = "unknown schedule",
                                  .expected = "one-cycle, cosine, step or constant",
                                  .found = settings.schedule});
}

std::vector<uint8_t> predicted_classes(const Tensor<float>& logits) {
  const int64_t classes = logits.dim(1);
  std::vector<uint8_t> predicted(static_cast<size_t>(logits.dim(0)));
  for (int64_t n = 0; n < logits.dim(0); ++n) {
    const float* row = logits.data() + n * classes;
    predicted[static_cast<size_t>(n)] = static_cast<uint8_t>(std::max_element(row, row + classes) - row);
  }
  return predicted;
}

}  // namespace qlimit
