#include "experiments/experiment.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "core/error.h"
#include "core/file.h"
#include "core/kernels/peak.h"
#include "core/memory.h"
#include "core/parallel.h"
#include "data/location.h"
#include "experiments/charts/confusion_matrix.h"
#include "experiments/charts/training_curve.h"
#include "experiments/checkpoint.h"
#include "experiments/inference/report.h"
#include "experiments/inference/timing.h"
#include "experiments/program.h"
#include "experiments/quantization.h"
#include "experiments/report.h"
#include "experiments/training_profile.h"
#include "layers/summary.h"
#include "quant/graph.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kLatencyImages = 64;
constexpr int64_t kThroughputBatch = 128;

// What an experiment says. With --json everything for people goes to standard error, with --quiet only the result
// remains.
class Console {
 public:
  explicit Console(const Options& options) : out_(options.json ? stderr : stdout), quiet_(options.quiet) {}

  std::FILE* stream() const { return out_; }
  ProgressStyle progress() const { return progress_style(out_, quiet_); }
  void note(const std::string& text) const {
    if (!quiet_) result(text);
  }
  void result(const std::string& text) const {
    fmt::print(out_, "{}", text);
    std::fflush(out_);
  }

 private:
  std::FILE* out_;
  bool quiet_;
};

struct ExperimentData {
  Dataset train;
  Dataset evaluation;  // for the accuracy after each epoch
  Dataset test;        // for the result
  Normalization normalization;
  bool validates = false;  // `evaluation` is a part of the training images, not the test images
};

ExperimentData prepare_data(const Experiment& experiment, const Options& options) {
  DatasetPair pair = load_dataset(experiment.dataset, options.data);
  if (options.limit > 0) pair.train = take(pair.train, options.limit);
  ExperimentData data{.train = pair.train, .evaluation = pair.test, .test = pair.test, .normalization = {}};
  if (options.validation > 0) {
    DatasetSplit parts = split(pair.train, options.validation, options.seed);
    data.train = parts.train;
    data.evaluation = parts.validation;
    data.validates = true;
  }
  data.normalization = channel_statistics(data.train);
  return data;
}

TrainingSettings training_settings(const Experiment& experiment, const Options& options, uint64_t seed) {
  return {.epochs = options.epochs,
          .batch_size = options.batch_size,
          .optimizer = options.optimizer,
          .learning_rate = options.learning_rate,
          .schedule = options.schedule,
          .weight_decay = options.weight_decay,
          .momentum = options.momentum,
          .label_smoothing = options.label_smoothing,
          .augmentation = options.augment ? experiment.augmentation : Augmentation{},
          .seed = seed};
}

ExperimentContext describe(const Experiment& experiment, const Options& options, const ExperimentData& data) {
  ExperimentContext context{.experiment = experiment.name,
                            .dataset = data.train.name,
                            .settings = describe(training_settings(experiment, options, options.seed)),
                            .machine = describe_machine(),
                            .threads = thread_count(),
                            .throughput_batch = std::min(kThroughputBatch, data.test.size())};
  const SettingsList more = {
      {"training images", fmt::format("{}", data.train.size())},
      {"validation images", fmt::format("{}", options.validation)},
      {"test images", fmt::format("{}", data.test.size())},
      {"calibration", options.calibration},
      {"calibration images", fmt::format("{}", std::min(options.calibration_images, data.train.size()))},
      {"weight scales", options.per_tensor ? "per tensor" : "per channel"},
      {"timed calls", fmt::format("{}", options.timed_calls)}};
  context.settings.insert(context.settings.end(), more.begin(), more.end());
  return context;
}

std::string header(const ExperimentContext& context, const Options& options) {
  const Machine& m = context.machine;
  std::string settings;
  for (const auto& [name, value] : context.settings)
    settings += (settings.empty() ? "" : ", ") + name + " " + value;
  return fmt::format(
      "{}: {} of {} threads on {} ({}); {}; {}; revision {}\ndata: {} from {}; results to {}\nsettings: "
      "{}\n\n",
      context.experiment, context.threads, m.processors, m.processor, m.instruction_set, m.system, m.compiler,
      m.git_revision, context.dataset,
      options.data == "tiny" ? "the sources" : data_folder(options.data).string(), options.output.string(),
      settings);
}

// Trains to the end, from the checkpoint in `folder` if that is wanted, and leaves one there after each
// epoch.
void train(Training& training, const ExperimentData& data, const Options& options, const fs::path& folder,
           const Console& console, RunResult& result) {
  const fs::path checkpoint = folder / "checkpoint.qla";
  if (options.resume) {
    load_checkpoint(checkpoint, training, nullptr, "start anew without --resume");
    console.note(
        fmt::format("resumed after epoch {} from {}\n", training.epochs_done(), checkpoint.string()));
  }
  restart_peak_memory();
  Progress progress(console.stream(), console.progress(), options.epochs, training.images_per_epoch());
  while (!training.finished()) {
    progress.begin_epoch(training.epochs_done() + 1);
    EpochRecord record = training.run_epoch(progress);
    record.evaluation_accuracy =
        evaluate(training_graph(training.model()), data.evaluation, data.normalization).accuracy;
    training.end_epoch(record);
    save_checkpoint(checkpoint, training);
    progress.end_epoch(
        {.images = training.images_per_epoch(), .loss = record.train_loss, .accuracy = record.train_accuracy},
        fmt::format("  {} {:5.2f} %", data.validates ? "validation" : "test",
                    100 * record.evaluation_accuracy));
  }
  result.history = training.history();
  result.training_seconds = progress.seconds();
  result.images_per_second = progress.images_per_second();
  result.cost = {.loader_share = progress.seconds() > 0 ? training.seconds_waited() / progress.seconds() : 0,
                 .peak_tensor_bytes = memory_statistics().peak_bytes_in_use,
                 .peak_resident_bytes = peak_resident_bytes()};
  console.note(cost_text(result.cost));
}

// A batch of training images with their labels, as a step gets them.
Batch first_batch(const ExperimentData& data, int64_t size) {
  Loader loader(take(data.train, size), {.batch_size = size, .normalization = data.normalization});
  loader.start_epoch(0);
  Batch batch;
  loader.next(batch);
  return batch;
}

// Where the time goes: in a step of a new model's training, and in the compiled ones on one image.
std::string profile(const Experiment& experiment, const Options& options, const ExperimentData& data,
                    const CompiledModels& compiled) {
  constexpr int64_t kSteps = 30;
  Random random(options.seed, "profile");
  const std::unique_ptr<Sequential> model = experiment.make_model(random);
  const Batch batch = first_batch(data, std::min(options.batch_size, data.train.size()));
  const TrainingProfile training = profile_training(*model, batch.images, batch.labels, kSteps);
  const auto inference = [&](const QuantizedGraph& graph) {
    const QuantizedModel engine(graph);
    return timing_text(measure_times(engine, random_inputs(graph.graph), options.timed_calls), engine);
  };
  return "-- training --\n\n" + to_text(training, peak_multiply_adds(Arithmetic::kReal)) +
         "\n-- fp32 --\n\n" + inference(compiled.fp32_graph) + "\n-- int8 --\n\n" +
         inference(compiled.int8_graph);
}

EngineFigures measure(const Engine& engine, const TfliteLedger& file, const ExperimentData& data,
                      const Options& options) {
  return {.evaluation = evaluate(engine, data.test, data.normalization),
          .latency_us = measure_latency(engine, first_images(data.test, data.normalization, kLatencyImages),
                                        options.timed_calls),
          .throughput = measure_throughput(
              engine, first_images(data.test, data.normalization, kThroughputBatch), options.timed_calls),
          .file = file};
}

void draw(const fs::path& folder, const Experiment& experiment, const ExperimentData& data,
          const RunResult& result) {
  TrainingCurve curve{.title = experiment.name, .evaluation = data.validates ? "validation" : "test"};
  for (const EpochRecord& r : result.history) {
    curve.epochs.push_back({.train_loss = r.train_loss,
                            .train_accuracy = r.train_accuracy,
                            .evaluation_accuracy = r.evaluation_accuracy,
                            .learning_rate = r.learning_rate});
  }
  write_training_curve(folder / "training_curve.png", curve);
  write_confusion_matrix(folder / "confusion_matrix.png", {.title = experiment.name + ", int8",
                                                           .class_names = data.test.class_names,
                                                           .counts = result.int8.evaluation.confusion});
}

void save(const ExportedModel& model, const fs::path& path, const Console& console) {
  if (model.refusal.empty()) {
    write_file(path, model.file.bytes);
  } else {
    console.note(fmt::format("{} is not written: {}\n", path.filename().string(), model.refusal));
  }
}

// One seed: from the first random weight to the figures of the three engines.
RunResult run(const Experiment& experiment, const Options& options, const ExperimentData& data, uint64_t seed,
              const fs::path& folder, const Console& console) {
  Random weights(seed, "weights");
  const std::unique_ptr<Sequential> model = experiment.make_model(weights);
  const Shape input = with_batch(data.train.images.shape(), 1);
  const Summary summary = summarize(*model, input);
  console.note(summary.to_string() + "\n");
  RunResult result{.seed = seed, .parameters = summary.parameters, .multiply_adds = summary.multiply_adds};

  Training training(*model, data.train, data.normalization, training_settings(experiment, options, seed));
  train(training, data, options, folder, console, result);

  console.note("\nquantizing and measuring ...\n\n");
  const CompiledModels compiled = compile(*model, data.train, data.normalization, options);
  save(compiled.fp32_export, folder / "model_fp32.tflite", console);
  save(compiled.int8_export, folder / "model_int8.tflite", console);
  result.training_graph = measure(training_graph(*model), {}, data, options);
  result.fp32 = measure(compiled.fp32, compiled.fp32_export.file.ledger, data, options);
  result.int8 = measure(compiled.int8, compiled.int8_export.file.ledger, data, options);
  result.noise = compiled.noise;
  if (options.profile) console.result(profile(experiment, options, data, compiled) + "\n");
  draw(folder, experiment, data, result);
  return result;
}

// The files of one run, in words.
std::string written(const RunResult& result) {
  std::string text = "result.json, training_curve.png, confusion_matrix.png, checkpoint.qla";
  if (result.fp32.file.total() > 0) text += ", model_fp32.tflite";
  if (result.int8.file.total() > 0) text += ", model_int8.tflite";
  return text;
}

// Seeds of one experiment have folders of their own, so that their checkpoints do not overwrite each other.
fs::path run_folder(const Options& options, uint64_t seed) {
  return options.seeds == 1 ? options.output : options.output / fmt::format("seed_{}", seed);
}

// The exit status that --require-accuracy asks for.
int guard(const std::string& name, const Options& options, const std::vector<RunResult>& runs) {
  if (!options.require_accuracy) return 0;
  for (const RunResult& r : runs) {
    const std::string objection =
        accuracy_objection(100 * r.fp32.evaluation.accuracy, *options.require_accuracy);
    if (objection.empty()) continue;
    fmt::print(stderr, "{}: seed {}: {}\n", name, r.seed, objection);
    return 1;
  }
  return 0;
}

void check_augmentation(const Experiment& experiment, const Options& options) {
  if (!options.augment || experiment.augmentation.pad > 0 || experiment.augmentation.flip) return;
  throw Error(ErrorKind::kUsage, {.what = concat(experiment.name, " knows no random crops and flips"),
                                  .where = "--augment",
                                  .hint = "leave it out"});
}

int run_seeds(const Experiment& experiment, const Options& options) {
  check_augmentation(experiment, options);
  if (options.threads > 0) set_thread_count(options.threads);
  ensure_writable_folder(options.output);
  const ExperimentData data = prepare_data(experiment, options);
  const ExperimentContext context = describe(experiment, options, data);
  const Console console(options);
  console.note(header(context, options));

  std::vector<RunResult> runs;
  for (int64_t i = 0; i < options.seeds; ++i) {
    const uint64_t seed = options.seed + static_cast<uint64_t>(i);
    const fs::path folder = run_folder(options, seed);
    ensure_writable_folder(folder);
    runs.push_back(run(experiment, options, data, seed, folder, console));
    const RunResult& result = runs.back();
    write_file(folder / "result.json", to_json(result, context).dump(2) + "\n");
    const std::string tables[] = {comparison_table(result, context), latency_table(result),
                                  ledger_table(result), noise_table(result)};
    for (const std::string& table : tables) {
      if (!table.empty()) console.result(table + "\n");
    }
    console.result(fmt::format("written to {}: {}\n", folder.string(), written(result)));
  }
  nlohmann::ordered_json json = to_json(runs.front(), context);
  if (runs.size() > 1) {
    json = to_json(runs, context);
    write_file(options.output / "result.json", json.dump(2) + "\n");
    console.result(
        fmt::format("\n{}\nwritten to {}: result.json\n", seeds_table(runs), options.output.string()));
  }
  if (options.json) fmt::print("{}\n", json.dump(2));
  return guard(experiment.name, options, runs);
}

}  // namespace

int run_experiment(const Experiment& experiment, int argc, char** argv) {
  return run_program(experiment.name, [&] {
    Options defaults = experiment.defaults;
    if (defaults.output.empty()) defaults.output = fs::path("results") / experiment.name;
    const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
    const std::optional<Options> options =
        parse_options(experiment.name, experiment.description, defaults, arguments, std::cout);
    return options ? run_seeds(experiment, *options) : 0;
  });
}

}  // namespace qlimit
