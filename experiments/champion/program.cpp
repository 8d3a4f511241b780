#include "experiments/champion/program.h"

#include "core/error.h"
#include "experiments/command_line.h"

namespace qlimit {
namespace {

constexpr const char* kDescription =
    "Trains the best int8 model that we know of at its size: micro (at most 10,500 parameters on CIFAR-10), "
    "mnist (below 8,000) or standard (354,000 on CIFAR-10). An interrupted run goes on where it stopped.";
constexpr const char* kExamples =
    "Examples:\n"
    "  champion micro                            three seeds\n"
    "  champion micro --teacher-share 0.9        a teacher first, if it is not there, then its students\n"
    "  champion micro --trial --epochs 20        what a choice is worth, without the test images\n"
    "  champion micro --trial --net 'C16 D32 P R32 R32 P D48 R48'\n"
    "                                            what another net would do\n"
    "  champion mnist --threads 1 & champion mnist --threads 1\n"
    "                                            the seeds side by side, on two processors\n"
    "  champion micro --data tiny --output try   all of it in seconds, on the digits of the sources\n";

constexpr int64_t kTinyEpochs = 2;
constexpr int64_t kLargestCutout = 28;  // the side of the smallest images

void add_options(CLI::App& app, ChampionOptions& o) {
  app.add_option("recipe", o.recipe, "micro, mnist or standard")
      ->check(one_of({"micro", "mnist", "standard"}));
  app.add_flag("--trial", o.trial, "hold out training images to judge by, and leave the test images alone");
  app.add_option("--data", o.data,
                 "folder with the data sets, or 'tiny' for a run of seconds on the images of the sources");
  app.add_option("--output", o.output, "folder for all recipes [default: results/champion]");
  app.add_option("--teacher", o.teacher,
                 "a .tflite file to learn from [default: the first seed of the recipe standard]");
  app.add_option("--threads", o.threads, "threads for arithmetic; 0 means one a processor")
      ->check(whole(0, 1024));
  app.add_flag("--quiet", o.quiet, "no progress");
}

void add_changes(CLI::App& app, ChampionOptions& o) {
  app.add_option("--seeds", o.seeds, "runs, with seeds counted up from 42 [default: 3; a trial: 1]")
      ->check(whole(1, 1000));
  app.add_option("--net", o.net,
                 "its layers, as in 'C16 D24 P R24': convolution, depthwise-separable, pool, residual");
  app.add_option("--epochs", o.epochs, "passes over the training images")->check(whole(1, 100'000));
  app.add_option("--batch-size", o.batch_size, "images in a step")->check(whole(1, 65'536));
  app.add_option("--optimizer", o.optimizer, "rule of the step")->check(one_of({"adamw", "adam", "sgd"}));
  app.add_option("--learning-rate", o.learning_rate, "highest step size")->check(between(1e-12, 1e12));
  app.add_option("--weight-decay", o.weight_decay, "pull of the weights towards 0")->check(between(0, 1000));
  app.add_option("--cutout", o.cutout, "side of a square of each training image that is hidden, in pixels")
      ->check(whole(0, kLargestCutout));
  app.add_option("--average-decay", o.average_decay, "of the average of the weights, which is what is kept")
      ->check(between(0, 0.999999));
  app.add_option("--quantized-epochs", o.quantized_epochs,
                 "more epochs, in training with quantization; 0: quantize afterwards")
      ->check(whole(0, 100'000));
  app.add_option("--quantized-learning-rate", o.quantized_learning_rate, "highest step size in these")
      ->check(between(1e-12, 1e12));
  app.add_option("--temperature", o.temperature, "that softens teacher and student")
      ->check(between(0.01, 1000));
  app.add_option("--teacher-share", o.teacher_share,
                 "of the loss; the labels have the rest; 0: there is no teacher")
      ->check(between(0, 1));
}

template <typename T>
void change(T& value, const std::optional<T>& other) {
  if (other) value = *other;
}

}  // namespace

std::optional<ChampionOptions> parse_champion_options(const std::vector<std::string>& arguments,
                                                      std::ostream& out) {
  ChampionOptions options;
  CLI::App app(kDescription, "champion");
  app.option_defaults()->take_last();
  app.get_formatter()->column_width(36);
  app.footer(kExamples);
  add_options(app, options);
  add_changes(app, options);
  if (!parse_command_line(app, arguments, out)) return std::nullopt;
  return options;
}

ChampionRecipe chosen_recipe(const ChampionOptions& options) {
  ChampionRecipe recipe = champion_recipe(options.recipe);
  if (recipe.teacher.empty() && (!options.teacher.empty() || options.temperature || options.teacher_share)) {
    throw Error(ErrorKind::kUsage, {.what = "the recipe has no teacher",
                                    .where = recipe.name,
                                    .hint = "leave out --teacher, --temperature and --teacher-share"});
  }
  if (options.trial) recipe.seeds = 1;
  if (options.data == "tiny") recipe.training.epochs = kTinyEpochs;
  change(recipe.seeds, options.seeds);
  change(recipe.net, options.net);
  change(recipe.training.epochs, options.epochs);
  change(recipe.training.batch_size, options.batch_size);
  change(recipe.training.optimizer, options.optimizer);
  change(recipe.training.learning_rate, options.learning_rate);
  change(recipe.training.weight_decay, options.weight_decay);
  change(recipe.training.augmentation.cutout, options.cutout);
  change(recipe.average_decay, options.average_decay);
  change(recipe.quantized_epochs, options.quantized_epochs);
  change(recipe.quantized_learning_rate, options.quantized_learning_rate);
  change(recipe.teaching.temperature, options.temperature);
  change(recipe.teaching.teacher_share, options.teacher_share);
  if (options.quantized_learning_rate && recipe.quantized_epochs == 0) {
    throw Error(ErrorKind::kUsage,
                {.what = "nothing is trained with quantization",
                 .where = recipe.name,
                 .hint = "add --quantized-epochs, or leave out --quantized-learning-rate"});
  }
  if ((!options.teacher.empty() || options.temperature) && !is_taught(recipe)) {
    throw Error(ErrorKind::kUsage, {.what = "nobody would listen to the teacher",
                                    .where = recipe.name,
                                    .found = "a share of 0",
                                    .hint = "add --teacher-share 0.9"});
  }
  return recipe;
}

}  // namespace qlimit
