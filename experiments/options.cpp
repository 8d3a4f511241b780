#include "experiments/options.h"

#include <ostream>

#include "core/error.h"
#include "experiments/command_line.h"

namespace qlimit {
namespace {

void add_files(CLI::App& app, Options& o) {
  app.add_option("--data", o.data,
                 "folder with the data set, or 'tiny' for the small set that comes with the sources");
  app.add_option("--output", o.output, "folder for results and checkpoint, created if need be")
      ->capture_default_str();
  app.add_flag("--resume", o.resume, "go on from the checkpoint in the output folder, bit for bit");
}

void add_training(CLI::App& app, Options& o) {
  app.add_option("--epochs", o.epochs, "passes over the training images")->check(whole(1, 100'000));
  app.add_option("--batch-size", o.batch_size, "images in a step")->check(whole(1, 65'536));
  app.add_option("--optimizer", o.optimizer, "rule of the step")->check(one_of({"adamw", "adam", "sgd"}));
  app.add_option("--learning-rate", o.learning_rate, "highest step size")->check(between(1e-12, 1e12));
  app.add_option("--schedule", o.schedule, "course of the learning rate")
      ->check(one_of({"one-cycle", "cosine", "step", "constant"}));
  app.add_option("--weight-decay", o.weight_decay, "pull of the weights towards 0")->check(between(0, 1000));
  app.add_option("--momentum", o.momentum, "share of the last step that sgd keeps")
      ->check(between(0, 0.999999));
  app.add_option("--label-smoothing", o.label_smoothing, "share of the target spread over all classes")
      ->check(between(0, 0.99));
  app.add_flag("--augment,!--no-augment", o.augment,
               "random crops and flips of the training images (CIFAR-10)");
  app.add_option("--limit", o.limit, "train on the first so many images only; 0 means all")
      ->check(whole(0, kMany));
  app.add_option("--validation", o.validation,
                 "training images set aside for the accuracy after each epoch; 0 takes the test set")
      ->check(whole(0, kMany));
  app.add_option("--seed", o.seed, "origin of every random number")->check(whole(0, kMany));
  app.add_option("--seeds", o.seeds, "runs, with seeds counted up from --seed")->check(whole(1, 1000));
  app.add_option("--threads", o.threads, "threads for arithmetic; 0 means one a processor")
      ->check(whole(0, 1024));
}

void add_quantization(CLI::App& app, Options& o) {
  app.add_option("--calibration-images", o.calibration_images,
                 "training images that set the activations' scales")
      ->check(whole(1, kMany));
  app.add_option("--calibration", o.calibration, "how their ranges are read off")
      ->check(one_of({"min_max", "moving_average", "percentile", "mse", "entropy"}));
  app.add_flag("--per-tensor,!--per-channel", o.per_tensor,
               "one scale for all weights of a layer, or one a channel");
}

void add_report(CLI::App& app, Options& o) {
  app.add_option("--timed-calls", o.timed_calls, "calls that are timed for each engine, with one image")
      ->check(whole(1, kMany));
  app.add_flag(
      "--profile", o.profile,
      "after measuring: time, rate and share of the machine's peak of each layer, for a training step "
      "and for fp32 and int8 inference");
  app.add_flag("--quiet", o.quiet, "only the final table");
  app.add_flag("--json", o.json, "the result as JSON on standard output, everything else on standard error");
  app.add_option("--require-accuracy", o.require_accuracy,
                 "fail below this fp32 test accuracy in per cent, and at a suspicious 100")
      ->check(between(0, 100));
}

std::string examples(const std::string& program) {
  return concat("Examples:\n  ", program, " --epochs 2 --seed 7 --output results/try\n  ", program,
                " --resume\n  ", program, " --calibration percentile --per-tensor\n  ", program,
                " --seeds 5 --json > seeds.json\n");
}

}  // namespace

std::optional<Options> parse_options(const std::string& program, const std::string& description,
                                     const Options& defaults, const std::vector<std::string>& arguments,
                                     std::ostream& out) {
  Options options = defaults;
  CLI::App app(description, program);
  app.option_defaults()->always_capture_default()->take_last();
  app.get_formatter()->column_width(36);
  app.footer(examples(program));
  add_files(app, options);
  add_training(app, options);
  add_quantization(app, options);
  add_report(app, options);
  if (!parse_command_line(app, arguments, out)) return std::nullopt;
  if (options.resume && options.seeds > 1) {
    throw Error(ErrorKind::kUsage, {.what = "--resume goes on with one run", .hint = "leave out --seeds"});
  }
  if (app.count("--momentum") > 0 && options.optimizer != "sgd") {
    throw Error(ErrorKind::kUsage, {.what = "only sgd has a momentum of its own",
                                    .where = "--momentum",
                                    .found = "--optimizer " + options.optimizer,
                                    .hint = "add --optimizer sgd, or leave out --momentum"});
  }
  return options;
}

}  // namespace qlimit
