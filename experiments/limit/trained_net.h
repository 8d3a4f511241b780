// A net of the limit study with the data that it meets: trained once, kept as an archive, and from then on
// always read back.
//
//   const StudyData data = load_study_data(plan, options.data);
//   TrainedNet net = new_net(plan, key);
//   const double seconds = train(net, plan, data);
//   save_net(path, net);
//   ...
//   const TrainedNet again = load_net(path, plan, key);       // the same bits
#pragma once

#include <filesystem>
#include <memory>

#include "data/dataset.h"
#include "data/normalize.h"
#include "experiments/limit/plan.h"
#include "experiments/train.h"
#include "layers/sequential.h"
#include "quant/graph.h"

namespace qlimit {

struct StudyData {
  Dataset train;
  Dataset test;
  Normalization normalization;
};

/// Throws what load_dataset throws (`option` is what --data said), and kData for fewer images than planned.
StudyData load_study_data(const StudyPlan& plan, const std::string& option);

struct TrainedNet {
  NetKey key;
  std::unique_ptr<Sequential> model;
  Shape image;  // [1,H,W,C]

  /// With batch norm, not folded yet.
  Graph traced() const;
};

/// With its first random weights.
TrainedNet new_net(const StudyPlan& plan, const NetKey& key);

/// AdamW, one cycle, crops and flips; returns the seconds it took. Throws kNumeric if it diverges.
double train(TrainedNet& net, const StudyPlan& plan, const StudyData& data);
/// All epochs of a training, without a word; returns the seconds they took.
double run_silently(Training& training);
/// How the net is trained.
TrainingSettings training_settings(const StudyPlan& plan, const NetKey& key);

/// As an archive of the model's state, which replaces the file as a whole. load_net throws kData for one of
/// another net.
void save_net(const std::filesystem::path& path, const TrainedNet& net);
TrainedNet load_net(const std::filesystem::path& path, const StudyPlan& plan, const NetKey& key);

}  // namespace qlimit
