#include "experiments/inference/options.h"

#include <map>
#include <ostream>

#include "core/error.h"
#include "experiments/command_line.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;

constexpr const char* kProgram = "run_tflite";

constexpr const char* kDescription =
    "Runs a .tflite model: what it consists of, how often it is right, how long it takes, layer by layer; "
    "writes its tensors and compares them with those of another engine, byte for byte.";

constexpr const char* kExamples = R"(Data, for --data:
  mnist, fashion_mnist, cifar10   the test images of the data set (data/fetch brings it); tiny: a part of MNIST
  FOLDER                          the files of such a data set; or PNGs, in a subfolder for each class if they
                                  have labels: the first subfolder by name, or number, is class 0
  IMAGE.png                       one picture, of the size of the model's input: nothing is scaled
  FILE.npy                        an array [N,...]: uint8 are pixels; float32 and int8 go to the model as they
                                  are (float32 is quantized if the model takes int8); see --labels
Normalization of pixels, for --normalize; x is a byte:
  dataset                (x/255 - mean) / deviation of the training images of --data, channel by channel: what
                         the models of the experiments expect, and the default for a data set
  mnist, cifar10, ...    the same of that data set: for a picture that one of these models is shown
  unit                   x/255, the default for other data
  none                   x
  MEAN/STD               (x/255 - MEAN) / STD, with one number or as many as channels: 0.5/0.5 gives -1 to 1
Examples:
  run_tflite model.tflite                                       summary and times
  run_tflite results/micro_cifar/model_int8.tflite --data cifar10
  run_tflite results/mnist_cnn/model_int8.tflite --data seven.png --normalize mnist --output logits.npy
  run_tflite mobilenet.tflite --data photos --normalize 0.5/0.5 --limit 100
  run_tflite model.tflite --data images.npy --layers ours --runtime micro
  run_tflite model.tflite --data images.npy --against ours      first differing layer; exit status 1 if any
The fast kernels are those for the processor's best instruction set; QLIMIT_ISA=generic|neondot|avx2|avx512|avx512vnni forces another.)";

const std::map<std::string, Runtime> kRuntimes = {{"tflite", Runtime::kTflite},
                                                  {"litert", Runtime::kLiteRt},
                                                  {"micro", Runtime::kTfliteMicro},
                                                  {"single", Runtime::kSingleRounding}};

const std::map<std::string, Kernels> kKernels = {{"fast", Kernels::kFast},
                                                 {"reference", Kernels::kReference}};

// Words that stand for values; as they are if the user says nothing.
struct Choices {
  std::string runtime = "tflite";
  std::string kernels = "fast";
};

void add_options(CLI::App& app, InferenceOptions& o, Choices& choices) {
  app.add_option("MODEL", o.model, "the .tflite file")->required();
  app.add_option("--data", o.data, "what the model is run on: see below");
  app.add_option("--labels", o.labels, "whole numbers in a .npy, one for each row of the array of --data");
  app.add_option("--normalize", o.normalize, "how pixels become the model's input: see below");
  app.add_option("--limit", o.limit, "run the first so many images; of a folder with classes, some of each")
      ->check(whole(0, kMany));
  app.add_option("--output", o.output, "file for the outputs of all images, .npy");
  app.add_option("--layers", o.layers, "folder for every intermediate tensor, NN_name.npy; created");
  app.add_option(
      "--against", o.against,
      "compare with the outputs in a .npy, or the tensors in a folder, found by their numbers NN_; "
      "exit status 1 if anything differs");
  app.add_option("--tolerance", o.tolerance,
                 "for --against: a smaller difference is none; 0 wants equal bits")
      ->check(between(0, 1e30));
  app.add_option("--runtime", choices.runtime, "whose last bit is wanted where engines round differently")
      ->check(one_of({"tflite", "litert", "micro", "single"}));
  app.add_option("--kernels", choices.kernels, "int8 kernels: the fast ones, or their short definitions")
      ->check(one_of({"fast", "reference"}));
  app.add_option("--threads", o.threads, "threads for arithmetic; 0 means one a processor")
      ->check(whole(0, 1024));
  app.add_option("--timed-calls", o.timed_calls,
                 "single runs that are timed, less if they take long; 0: none")
      ->check(whole(0, kMany));
  app.add_flag("--json", o.json, "the result as JSON on standard output, everything else on standard error");
}

void check(const InferenceOptions& o) {
  const auto refuse = [](const std::string& what, const std::string& hint) {
    throw Error(ErrorKind::kUsage, {.what = what, .hint = hint});
  };
  if (o.data.empty()) {
    const std::pair<const char*, bool> needs_data[] = {
        {"--labels", !o.labels.empty()}, {"--normalize", !o.normalize.empty()},
        {"--limit", o.limit > 0},        {"--output", !o.output.empty()},
        {"--layers", !o.layers.empty()}, {"--against", !o.against.empty()}};
    for (const auto& [option, given] : needs_data) {
      if (given) refuse(concat(option, " needs something to run the model on"), "name it with --data");
    }
  }
  if (o.tolerance > 0 && o.against.empty()) refuse("--tolerance is for --against", "see --help");
  if (o.against.empty()) return;
  const auto same = [](const fs::path& a, const fs::path& b) {
    std::error_code none;  // neither of them need exist
    return fs::equivalent(a, b, none);
  };
  const auto folder_of = [](const fs::path& file) {
    return file.has_parent_path() ? file.parent_path() : ".";
  };
  const auto refuse_to_overwrite = [&](const char* option) {
    refuse(concat(option, " would overwrite what --against compares with"), "choose another name");
  };
  if (!o.output.empty() && (same(o.output, o.against) || same(folder_of(o.output), o.against)))
    refuse_to_overwrite("--output");
  if (!o.layers.empty() && (same(o.layers, o.against) || same(o.layers, folder_of(o.against))))
    refuse_to_overwrite("--layers");
}

}  // namespace

std::optional<InferenceOptions> parse_inference_options(const std::vector<std::string>& arguments,
                                                        std::ostream& out) {
  InferenceOptions options;
  Choices choices;
  CLI::App app(kDescription, kProgram);
  app.option_defaults()->always_capture_default()->take_last();
  app.get_formatter()->column_width(36);
  app.footer(kExamples);
  add_options(app, options, choices);
  if (!parse_command_line(app, arguments, out)) return std::nullopt;
  options.runtime = kRuntimes.at(choices.runtime);
  options.kernels = kKernels.at(choices.kernels);
  check(options);
  return options;
}

}  // namespace qlimit
