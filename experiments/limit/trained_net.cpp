#include "experiments/limit/trained_net.h"

#include "core/archive.h"
#include "core/error.h"
#include "data/location.h"
#include "experiments/limit/nets.h"
#include "layers/state.h"
#include "quant/trace.h"

namespace qlimit {
namespace {

Dataset first(const Dataset& all, int64_t count) {
  if (all.size() >= count) return take(all, count);
  throw Error(ErrorKind::kData, {.what = "too few images for this study",
                                 .where = all.name,
                                 .expected = concat(count),
                                 .found = concat(all.size())});
}

}  // namespace

StudyData load_study_data(const StudyPlan& plan, const std::string& option) {
  const DatasetPair pair = load_dataset(plan.data, option);
  StudyData data{.train = first(pair.train, plan.train_images),
                 .test = first(pair.test, plan.test_images),
                 .normalization = {}};
  data.normalization = channel_statistics(data.train);
  return data;
}

Graph TrainedNet::traced() const { return trace(*model, image); }

TrainedNet new_net(const StudyPlan& plan, const NetKey& key) {
  Random weights(key.seed, "weights");
  return {.key = key,
          .model = net_family(key.shape).make(key.width, weights, plan.image_channels),
          .image = {1, plan.image_side, plan.image_side, plan.image_channels}};
}

TrainingSettings training_settings(const StudyPlan& plan, const NetKey& key) {
  return {.epochs = planned_net(plan, key).epochs, .augmentation = plan.augmentation, .seed = key.seed};
}

double train(TrainedNet& net, const StudyPlan& plan, const StudyData& data) {
  Training training(*net.model, data.train, data.normalization, training_settings(plan, net.key));
  const double seconds = run_silently(training);
  net.model->set_training(false);
  return seconds;
}

double run_silently(Training& training) {
  Progress clock(stdout, ProgressStyle::kQuiet, training.settings().epochs, training.images_per_epoch());
  while (!training.finished()) {
    clock.begin_epoch(training.epochs_done() + 1);
    training.end_epoch(training.run_epoch(clock));
    clock.end_epoch({.images = training.images_per_epoch()}, "");
  }
  return clock.seconds();
}

void save_net(const std::filesystem::path& path, const TrainedNet& net) {
  Archive archive;
  archive.add("net", to_string(net.key));
  save_state(*net.model, archive);
  archive.save(path);
}

TrainedNet load_net(const std::filesystem::path& path, const StudyPlan& plan, const NetKey& key) {
  const Archive archive = Archive::load(path);
  if (archive.text("net") != to_string(key)) {
    throw Error(ErrorKind::kData, {.what = "the archive is of another net",
                                   .where = path.string(),
                                   .expected = to_string(key),
                                   .found = archive.text("net")});
  }
  TrainedNet net = new_net(plan, key);
  load_state(*net.model, archive);
  net.model->set_training(false);
  return net;
}

}  // namespace qlimit
