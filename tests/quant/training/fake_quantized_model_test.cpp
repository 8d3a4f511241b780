#include "quant/training/fake_quantized_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "core/archive.h"
#include "core/parallel.h"
#include "layers/state.h"
#include "quant/calibrate.h"
#include "quant/passes.h"
#include "quant/quantized_model.h"
#include "quant/recording.h"
#include "quant/trace.h"
#include "tests/quant/remedies/normalized_net.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

const Shape kImage = {1, 12, 12, 3};
constexpr GridScheme kSchemes[] = {GridScheme::kMinMax, GridScheme::kLearned};

Tensor<float> images_for(Random& rng, int64_t count) { return random_tensor(with_batch(kImage, count), rng); }

std::vector<float> list(const Tensor<float>& tensor) { return {tensor.begin(), tensor.end()}; }

double largest_difference(const Tensor<float>& a, const Tensor<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double most = 0;
  for (int64_t i = 0; i < std::min(a.size(), b.size()); ++i)
    most = std::max(most, static_cast<double>(std::abs(a[i] - b[i])));
  return most;
}

Tensor<float> evaluated(Layer& model, const Tensor<float>& images) {
  const EvaluationMode evaluation(model);
  const TapeOff off;
  return model(Variable::constant(images)).value();
}

/// Moves all that is trained, as a training might.
void disturb(FakeQuantizedModel& model, Random& rng) {
  for (const Parameter& parameter : model.parameters()) {
    Variable variable = parameter.variable;
    for (Real& x : variable.mutable_value())
      x += static_cast<Real>(0.1 * rng.normal()) * (0.2f + std::abs(x));
  }
}

/// One step of gradient descent on a sum of random multiples of the outputs.
void descend(FakeQuantizedModel& model, const Tensor<float>& images, Random& rng, float rate = 0.01f) {
  for (const Parameter& parameter : model.parameters()) Variable(parameter.variable).clear_grad();
  const Variable y = model(Variable::constant(images));
  backward(y, random_tensor(y.shape(), rng, 1.0 / static_cast<double>(y.shape().size())));
  for (const Parameter& parameter : model.parameters()) {
    Variable variable = parameter.variable;
    const Tensor<Real> gradient = variable.grad();
    for (int64_t i = 0; i < gradient.size(); ++i) variable.mutable_value()[i] -= rate * gradient[i];
  }
}

TEST(FakeQuantizedModel, FrozenBatchNormIsFoldBatchNorm) {
  Random rng(1, "folded");
  const auto net = normalized_net(rng);
  Graph graph = trace(*net, kImage);
  const FakeQuantizedModel model(graph, images_for(rng, 8));
  run_passes(graph);
  const Graph folded = model.folded();
  ASSERT_EQ(to_string(folded), to_string(graph));
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    for (size_t k = operand_count(graph.nodes[i]); k < graph.nodes[i].inputs.size(); ++k) {
      EXPECT_LT(largest_difference(folded.value(folded.nodes[i].inputs[k]).constant,
                                   graph.value(graph.nodes[i].inputs[k]).constant),
                1e-6)
          << graph.value(graph.nodes[i].output).name;
    }
  }
}

// Convolutions and batch norms in training, one after the other, against the folded ones: without quantized
// activations and with 8 bits for weights the outputs differ by the weights' rounding alone. The statistics
// of the first layer, which sees the same images, are followed to the last digits of float.
TEST(FakeQuantizedModel, FoldsByTheStatisticsOfTheBatchWhileTraining) {
  Random rng(2, "batch");
  const auto net = normalized_net(rng);
  const Tensor<float> images = random_tensor({16, 12, 12, 3}, rng, 2.0, 0.5);  // not those it has seen
  FakeQuantizedModel model(trace(*net, kImage), images,
                           {.freeze_batch_norm_after = 1, .batch_norm_momentum = 0.1, .range_delay = 1});
  const Tensor<float> frozen = evaluated(*net, images);
  const Tensor<float> found = model(Variable::constant(images)).value();
  net->set_training(true);
  const Tensor<float> expected = (*net)(Variable::constant(images)).value();
  double size = 0;
  for (float x : expected) size = std::max(size, static_cast<double>(std::abs(x)));
  EXPECT_LT(largest_difference(found, expected), 0.05 * size);
  EXPECT_GT(largest_difference(frozen, expected), 0.2 * size) << "or the batch has the running statistics";

  std::map<std::string, Tensor<Real>> buffers;
  for (const Buffer& buffer : model.buffers()) buffers[buffer.name] = buffer.tensor;
  for (const Buffer& buffer : net->buffers()) buffers[buffer.name] = buffer.tensor;
  EXPECT_LT(largest_difference(buffers["conv2d_1.running_mean"], buffers["1.running_mean"]), 1e-5);
  EXPECT_LT(largest_difference(buffers["conv2d_1.running_variance"], buffers["1.running_variance"]), 1e-5);
  // The second call is frozen: nothing follows any more.
  const std::vector<float> before = list(buffers["conv2d_1.running_mean"]);
  model(Variable::constant(images));
  EXPECT_EQ(list(buffers["conv2d_1.running_mean"]), before);
}

// x -> relu(x): ranges start at those of the first images, and move by a quarter at each step.
TEST(FakeQuantizedModel, RangesAndDelayFollowTheFormula) {
  Graph graph;
  graph.add(op::Clamp{}, {graph.add_input("x", {1, 2})});
  FakeQuantizedModel model(graph, Tensor<float>({1, 2}, {-1.0f, 2.0f}),
                           {.range_delay = 1, .freeze_ranges_after = 2, .range_smoothing = 0.75});
  const ValueId out = graph.output;
  const auto range = [&](ValueId id) {
    const AffineParams p = model.params()[static_cast<size_t>(id)];
    return std::pair(p.scale * static_cast<float>(p.low() - p.zero_point),
                     p.scale * static_cast<float>(p.high() - p.zero_point));
  };
  const auto output = [&](float a, float b) {
    return list(model(Variable::constant(Tensor<float>({1, 2}, {a, b}))).value());
  };
  EXPECT_EQ(range(out).first, 0.0f);
  EXPECT_FLOAT_EQ(range(out).second, 2.0f);
  EXPECT_FLOAT_EQ(evaluated(model, Tensor<float>({1, 2}, {3.21f, 100.0f}))[1], 2.0f)
      << "evaluation quantizes from the start";
  EXPECT_FLOAT_EQ(range(out).second, 2.0f) << "and moves nothing";
  EXPECT_EQ(model.steps(), 0);

  EXPECT_EQ(output(-5, 6), (std::vector<float>{0, 6})) << "gathered, but not quantized yet";
  EXPECT_FLOAT_EQ(range(out).second, 3.0f) << "0.75 * 2 + 0.25 * 6";
  EXPECT_FLOAT_EQ(range(graph.input).first, -2.0f) << "0.75 * -1 + 0.25 * -5";
  EXPECT_FLOAT_EQ(range(graph.input).second, 3.0f);
  // Now 7 is cut off at 0.75 * 3 + 0.25 * 7 = 4 by the input's grid, to half of its steps of 5.75 / 255.
  EXPECT_NEAR(output(-1, 7)[1], 0.75 * 3 + 0.25 * 4, 0.01);
  const float last = range(out).second;
  EXPECT_NEAR(last, 3.25, 0.01);
  EXPECT_FLOAT_EQ(output(-1, 50)[1], last) << "frozen";
  EXPECT_EQ(range(out).second, last);
  EXPECT_EQ(model.steps(), 3);
}

/// Options of every kind.
FakeQuantizedOptions random_options(Random& rng) {
  constexpr int kBits[] = {8, 4, 3, 2};
  const auto granularity = [&] { return rng.below(2) ? Granularity::kPerChannel : Granularity::kPerTensor; };
  return {.weight_bits = kBits[rng.below(4)],
          .activation_bits = kBits[rng.below(4)],
          .weights = granularity(),
          .dense_weights = granularity(),
          .scheme = kSchemes[rng.below(2)]};
}

// Each operation on the integers that the engine itself has before it.
TEST(FakeQuantizedModel, EachOperationIsThatOfTheEngineToOneUnit) {
  const Random seed(3, "units");
  int64_t numbers = 0, different = 0, once_numbers = 0, once_different = 0;
  for (uint64_t trial = 0; trial < 120; ++trial) {
    Random rng = seed.split(trial);
    const Graph graph = random_graph(rng);
    const Tensor<float> images = random_tensor(with_batch(graph.value(graph.input).shape, 4), rng);
    FakeQuantizedModel model(graph, images, random_options(rng));
    disturb(model, rng);
    for (const Runtime runtime : {Runtime::kSingleRounding, Runtime::kTflite}) {
      const QuantizedModel engine(model.convert(runtime));
      ASSERT_EQ(engine.quantized().params.size(), model.params().size());
      const auto all = record_activations<int8_t>(engine, images);
      const auto reals = [&](ValueId id) {
        const Tensor<int8_t>& integers = all[static_cast<size_t>(id)];
        Tensor<float> x = Tensor<float>::uninitialized(integers.shape());
        for (int64_t i = 0; i < x.size(); ++i) x[i] = dequantize(integers[i], engine.params(id));
        return Variable::constant(x);
      };
      for (size_t i = 0; i < engine.graph().nodes.size(); ++i) {
        const Node& node = engine.graph().nodes[i];
        std::vector<Variable> operands;
        for (size_t k = 0; k < operand_count(node); ++k) operands.push_back(reals(node.inputs[k]));
        const Tensor<float> fake = model.evaluate_node(i, operands).value();
        const Tensor<int8_t>& found = all[static_cast<size_t>(node.output)];
        ASSERT_EQ(fake.size(), found.size());
        for (int64_t k = 0; k < fake.size(); ++k) {
          const int8_t expected = quantize(fake[k], engine.params(node.output));
          ASSERT_LE(std::abs(found[k] - expected), 1) << engine.graph().value(node.output).name << "\n"
                                                      << to_string(engine.graph());
          const bool once = runtime == Runtime::kSingleRounding && has_weights(node.op);
          once_numbers += once;
          once_different += once && found[k] != expected;
          different += found[k] != expected;
        }
        numbers += fake.size();
      }
    }
  }
  EXPECT_LT(static_cast<double>(different), 0.03 * static_cast<double>(numbers));
  EXPECT_LT(static_cast<double>(once_different), 0.001 * static_cast<double>(once_numbers));
}

TEST(FakeQuantizedModel, ConvertsToItsOwnGrids) {
  Random rng(4, "grids");
  const auto net = normalized_net(rng);
  const Tensor<float> images = images_for(rng, 8);
  for (const GridScheme scheme : kSchemes) {
    FakeQuantizedModel model(trace(*net, kImage), images,
                             {.weight_bits = 3, .activation_bits = 4, .scheme = scheme});
    disturb(model, rng);
    const QuantizedGraph q = model.convert();
    const std::vector<int> widths = activation_widths(model.graph(), 4);
    for (size_t id = 0; id < q.params.size(); ++id) {
      EXPECT_EQ(q.params[id], model.params()[id]) << q.graph.values[id].name;
      if (q.graph.values[id].is_constant()) continue;
      EXPECT_EQ(q.params[id].bits, widths[id]);
    }
    for (size_t i = 0; i < q.filters.size(); ++i) {
      if (!has_weights(q.graph.nodes[i].op)) continue;
      EXPECT_EQ(q.filters[i].bits, 3);
      const bool dense = std::holds_alternative<op::Dense>(q.graph.nodes[i].op);
      EXPECT_EQ(q.filters[i].scales.size(), dense ? 1u : q.filters[i].bias.size());
    }
  }
}

// By min/max alone it is post-training quantization, until it is trained.
TEST(FakeQuantizedModel, BeginsAsPostTrainingQuantization) {
  Random rng(5, "first");
  const auto net = normalized_net(rng);
  const Tensor<float> images = images_for(rng, 8);
  Graph graph = trace(*net, kImage);
  const FakeQuantizedModel model(graph, images, {.weight_bits = 4, .activation_bits = 5});
  run_passes(graph);
  const Ranges ranges = calibrate(FloatExecutor(graph), images);
  const QuantizedGraph expected = quantize(graph, ranges, {.weight_bits = 4, .activation_bits = 5});
  const QuantizedGraph found = model.convert();
  for (size_t i = 0; i < expected.graph.nodes.size(); ++i) {
    EXPECT_EQ(found.params_of(found.graph.nodes[i].output),
              expected.params_of(expected.graph.nodes[i].output));
    const Tensor<int8_t>&a = found.filters[i].weight, &b = expected.filters[i].weight;
    ASSERT_EQ(a.size(), b.size());
    int64_t different = 0;  // where folding in another order leaves a weight on the other side of a half
    for (int64_t k = 0; k < a.size(); ++k) different += a[k] != b[k];
    EXPECT_LE(different, a.size() / 100);
  }
}

// With 8 bits the gradients of the fake-quantized net are those of the float net, but for rounding, which now
// and then decides which place of a max pool a gradient goes to.
TEST(FakeQuantizedModel, GradientsAreThoseOfTheFloatNet) {
  Random rng(6, "gradients");
  const auto net = normalized_net(rng);
  const Tensor<float> images = images_for(rng, 16);
  const Tensor<float> upstream = random_tensor({16, 10}, rng);
  const auto gradients = [&](Layer& model) {
    backward(model(Variable::constant(images)), upstream);
    std::vector<Tensor<Real>> all;
    for (const Parameter& parameter : model.parameters())
      if (parameter.name.ends_with("weight") || parameter.name.ends_with("gamma") ||
          parameter.name.ends_with("beta"))
        all.push_back(parameter.variable.grad());
    return all;
  };
  net->set_training(false);
  const auto expected = gradients(*net);
  for (const GridScheme scheme : kSchemes) {
    FakeQuantizedModel model(trace(*net, kImage), images, {.scheme = scheme});
    const auto found = gradients(model);
    ASSERT_EQ(found.size(), expected.size());
    for (size_t i = 0; i < found.size(); ++i) {
      ASSERT_EQ(found[i].shape(), expected[i].shape());
      double dot = 0, a = 0, b = 0;
      for (int64_t k = 0; k < found[i].size(); ++k) {
        dot += double{found[i][k]} * expected[i][k];
        a += double{found[i][k]} * found[i][k];
        b += double{expected[i][k]} * expected[i][k];
      }
      EXPECT_GT(dot / std::sqrt(a * b), 0.95) << i;
      EXPECT_NEAR(std::sqrt(a / b), 1, 0.1) << i;
    }
  }
}

// An optimizer refuses a parameter without a gradient.
TEST(FakeQuantizedModel, EveryParameterHasAGradientInEveryPhase) {
  Random rng(7, "phases");
  const auto net = normalized_net(rng);
  const Tensor<float> images = images_for(rng, 8);
  for (const GridScheme scheme : kSchemes) {
    const int64_t delay = scheme == GridScheme::kMinMax ? 1 : 0;
    FakeQuantizedModel model(trace(*net, kImage), images,
                             {.weight_bits = 4,
                              .activation_bits = 4,
                              .scheme = scheme,
                              .freeze_batch_norm_after = 2,
                              .range_delay = delay});
    int64_t steps = 0;
    for (int call = 0; call < 3; ++call) {
      descend(model, images, rng);
      for (const Parameter& parameter : model.parameters()) EXPECT_TRUE(parameter.variable.has_grad());
      EXPECT_EQ(model.steps(), ++steps);
    }
    const auto is_step = [](const Parameter& p) { return p.name.ends_with("log_step"); };
    const auto parameters = model.parameters();
    EXPECT_EQ(std::count_if(parameters.begin(), parameters.end(), is_step),
              scheme == GridScheme::kMinMax ? 0 : 7)
        << "four convolutions, a sum, the mean and the logits";
  }
}

TEST(FakeQuantizedModel, DoesNotDependOnTheNumberOfThreads) {
  for (const GridScheme scheme : kSchemes) {
    std::vector<std::vector<float>> outputs;
    for (const int threads : {1, 2, 3}) {
      set_thread_count(threads);
      Random rng(8, "threads");
      const auto net = normalized_net(rng);
      const Tensor<float> images = images_for(rng, 40);
      FakeQuantizedModel model(
          trace(*net, kImage), images,
          {.weight_bits = 3, .activation_bits = 3, .scheme = scheme, .freeze_batch_norm_after = 1});
      for (int step = 0; step < 3; ++step) descend(model, images, rng);
      outputs.push_back(list(evaluated(model, images)));
    }
    set_thread_count(1);
    EXPECT_EQ(outputs[0], outputs[1]);
    EXPECT_EQ(outputs[0], outputs[2]);
  }
}

TEST(FakeQuantizedModel, ItsStateIsSavedAndLoaded) {
  Random rng(9, "state");
  const auto net = normalized_net(rng);
  const Tensor<float> images = images_for(rng, 8), others = random_tensor({8, 12, 12, 3}, rng, 3.0, 1.0);
  const Graph graph = trace(*net, kImage);
  for (const GridScheme scheme : kSchemes) {
    const FakeQuantizedOptions options = {
        .weight_bits = 4, .activation_bits = 4, .scheme = scheme, .freeze_batch_norm_after = 2};
    FakeQuantizedModel first(graph, images, options), second(graph, others, options);
    for (int step = 0; step < 3; ++step) descend(first, images, rng);
    Archive archive;
    save_state(first, archive);
    EXPECT_NE(list(evaluated(first, images)), list(evaluated(second, images)));
    load_state(second, archive);
    EXPECT_EQ(list(evaluated(first, images)), list(evaluated(second, images)));
    EXPECT_EQ(second.steps(), 3);
    EXPECT_EQ(QuantizedModel(first.convert()).fingerprint(), QuantizedModel(second.convert()).fingerprint());
  }
}

TEST(FakeQuantizedModel, WrongOptionsAreRefused) {
  Random rng(10, "refusals");
  const Graph graph = GraphBuilder(rng, {1, 4}).dense(3).dense(2).graph();
  const auto refuse = [&](const FakeQuantizedOptions& options, const std::vector<std::string>& parts) {
    expect_error(
        [&] {
          FakeQuantizedModel(graph, random_tensor({5, 4}, rng), options);
        },
        ErrorKind::kUsage, parts);
  };
  refuse({.weight_bits = 1}, {"weights", "2 to 8"});
  refuse({.activation_bits = 9}, {"activations", "2 to 8"});
  refuse({.range_smoothing = 1}, {"range_smoothing", "below 1"});
  refuse({.batch_norm_momentum = 0}, {"batch_norm_momentum"});
  refuse({.range_delay = -1}, {"range_delay", "-1"});
  refuse({.freeze_ranges_after = -1}, {"freeze_ranges_after"});
  refuse({.freeze_batch_norm_after = -2}, {"freeze_batch_norm_after", "-2"});
  refuse({.scheme = GridScheme::kLearned, .range_delay = 3}, {"range_delay", "learned"});
}

}  // namespace
}  // namespace qlimit
