#include "layers/batch_norm_statistics.h"

#include <vector>

#include "core/error.h"
#include "layers/batch_norm2d.h"

namespace qlimit {
namespace {

// While one of these lives, the batch norms normalize by the batch's statistics and all else is in
// evaluation: a dropout, say, draws nothing.
class OnlyNormsTrain {
 public:
  explicit OnlyNormsTrain(Layer& model) : evaluation_(model) {
    model.visit([&](Layer& layer) {
      auto* norm = dynamic_cast<BatchNorm2D*>(&layer);
      if (!norm) return;
      norm->set_training(true);
      norms_.push_back({norm, norm->options().momentum});
    });
  }
  ~OnlyNormsTrain() {
    for (const Norm& norm : norms_) norm.layer->set_momentum(norm.momentum);
  }
  OnlyNormsTrain(const OnlyNormsTrain&) = delete;
  OnlyNormsTrain& operator=(const OnlyNormsTrain&) = delete;

  void set_momentum(double momentum) const {
    for (const Norm& norm : norms_) norm.layer->set_momentum(momentum);
  }

 private:
  struct Norm {
    BatchNorm2D* layer;
    double momentum;
  };
  EvaluationMode evaluation_;  // gives each layer its mode back
  std::vector<Norm> norms_;
};

}  // namespace

void recompute_statistics(Layer& model, const std::function<bool(Tensor<Real>& images)>& next) {
  const OnlyNormsTrain mode(model);
  const TapeOff off;
  int64_t batches = 0;
  for (Tensor<Real> images; next(images);) {
    ++batches;
    mode.set_momentum(1 / static_cast<double>(batches));  // the mean of so many
    model(Variable::constant(images));
  }
  if (batches == 0) throw Error(ErrorKind::kUsage, {.what = "no images to compute statistics from"});
}

}  // namespace qlimit
