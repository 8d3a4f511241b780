// Quantization-aware training, QAT (Jacob et al. 2018, section 3): a network learns with the errors that its
// integers will make.
//
//   FakeQuantizedModel model(trace(trained, {1, 32, 32, 3}), images,
//                            {.weight_bits = 4, .activation_bits = 4, .scheme = GridScheme::kLearned});
//   Training training(model, cifar.train, normalization, {.epochs = 2, .learning_rate = 1e-3});
//   ...
//   QuantizedModel engine(model.convert());
//
// The model is made of a traced graph, and computes it node by node on the tape, with fake quantization where
// `quantize` puts a grid: at the input, at every result that has a grid of its own, at weights and biases. So
// what trains is what runs: the numbers of evaluation are those of the integer engine, operation by
// operation, to one unit, which only rounding decides.
//
//   step of a training      batch norm is folded by      ranges of activations (kMinMax)
//   0 ...                   the batch's statistics       are gathered; nothing is quantized by them
//   range_delay ...         the batch's statistics       go on moving; all is quantized
//   freeze_batch_norm_after the running statistics       go on moving
//   freeze_ranges_after     the running statistics       stay
//
// Jacob et al. fold by moving averages from the start (their equation 14); the batch's statistics, which the
// gradient goes through, are nearer to a training without quantization.
//
// By default batch norm is frozen and all is quantized from the start: right for a short training of a net
// that is trained already, and cheap, since a batch's statistics cost each convolution a second time.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "layers/layer.h"
#include "quant/quantize.h"
#include "quant/training/trained_filter.h"
#include "quant/training/unfolded_layers.h"

namespace qlimit {

/// Where grids come from while they are trained.
enum class GridScheme {
  kMinMax,   // weights: max |w| of the moment; activations: moving averages of minimum and maximum
  kLearned,  // every step is a parameter with a gradient (Esser et al., ICLR 2020), but that of the input
};

struct FakeQuantizedOptions {
  int weight_bits = kMostBits;      // 2 to 8
  int activation_bits = kMostBits;  // 2 to 8, of those that have a choice (activation_widths)
  Granularity weights = Granularity::kPerChannel;
  Granularity dense_weights = Granularity::kPerTensor;  // as in QuantizeOptions
  GridScheme scheme = GridScheme::kMinMax;

  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  int64_t freeze_batch_norm_after = 0;   // steps with statistics of the batch
  double batch_norm_momentum = 0.1;      // the share of a new batch in the running statistics, in (0,1]
  int64_t range_delay = 0;               // kMinMax: steps without quantized activations
  int64_t freeze_ranges_after = kNever;  // kMinMax: steps in which ranges move
  double range_smoothing = 0.99;         // kMinMax: the share of the old range at each step, in [0,1)
};

class FakeQuantizedModel : public Layer {
 public:
  /// traced: from a trained model, with its batch norms. images: some of the data, [N,...]; they give the
  /// first ranges of activations, by minimum and maximum, or steps, by least squared error, as weights give
  /// theirs. A layer that the model uses twice becomes two. Throws kUnsupported, naming the node, for what
  /// cannot be trained, kUsage for options out of range.
  FakeQuantizedModel(const Graph& traced, const Tensor<float>& images,
                     const FakeQuantizedOptions& options = {});

  /// images: [N,...], any N. In training every call is a step. In evaluation all is quantized, and nothing
  /// moves.
  Variable forward(const Variable& images) override;
  /// What evaluation makes of given operands at node i of graph(): for comparisons with the integer engine.
  Variable evaluate_node(size_t i, const std::vector<Variable>& operands) const;

  /// The folded graph with the weights of this moment, not quantized.
  Graph folded() const;
  /// The grid of each value of graph() at this moment, by ValueId.
  std::vector<AffineParams> params() const;
  /// The integers that evaluation stands for. Fake quantization rounds once; of TFLite's two roundings the
  /// first is seen where a result has hardly more bits than the sums it is made of, so with 2 or 3 bits.
  QuantizedGraph convert(Runtime runtime = Runtime::kSingleRounding) const;

  /// The structure; its constants are the weights of the beginning.
  const Graph& graph() const { return graph_; }
  int64_t steps() const { return static_cast<int64_t>(steps_[0]); }

 private:
  /// The grid that belongs to a value.
  struct TrainedGrid {
    int bits = kMostBits;
    Tensor<Real> range;       // [2]: minimum and maximum; empty if the step is learned
    Variable log_step;        // [1]; empty if it is not
    Tensor<Real> zero_point;  // [1], with log_step
  };
  /// What a call does.
  struct Phase {
    bool takes_batch_statistics = false;
    bool moves_ranges = false;
    bool quantizes_activations = true;
  };

  void prepare_graph(const Graph& traced);
  void add_filters(const UnfoldedLayers& unfolded);
  TrainedFilter make_filter(const Node& node, const UnfoldedLayers& unfolded);
  void add_grids(const Tensor<float>& images);
  TrainedGrid make_grid(ValueId id, Range range, const AffineParams& first);

  Phase phase() const;
  /// The node that computes a value; null for the input.
  const Node* producer(ValueId id) const;
  /// The grid of a value; `known` has those of its node's operands.
  AffineParams grid_of(ValueId id, const std::vector<AffineParams>& known) const;
  /// Whether node i and the max pool behind it may change places: the greatest number is in the same place
  /// before and after its rounding, and a quarter of them is left to be rounded. Behind an activation their
  /// range is the same too, as 0 is in every range.
  bool pools_before_grid(size_t i) const;
  /// What node i computes, not yet on its grid; moments: for its batch norm, if it has one.
  Variable computed(size_t i, const std::vector<Variable>& operands, const Variable& moments,
                    float input_scale) const;
  /// activation(x) on the grid `params` of the value.
  Variable on_grid(ValueId id, const Variable& x, const AffineParams& params) const;

  Graph graph_;
  FakeQuantizedOptions options_;
  std::vector<int> producers_;        // by ValueId: the node; -1 for the input and constants
  std::vector<ValueId> grid_owners_;  // by ValueId: to which value its grid belongs; -1: to none, it is fixed
  std::vector<TrainedGrid> grids_;    // by ValueId, of owners
  std::vector<TrainedFilter> filters_;  // by node, of those with weights
  Tensor<Real> steps_;                  // [1]: a number that is saved with the model
};

}  // namespace qlimit
