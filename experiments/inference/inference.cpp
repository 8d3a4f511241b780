#include "experiments/inference/inference.h"

#include <fmt/format.h>
#include <unistd.h>

#include "core/error.h"
#include "core/file.h"
#include "core/parallel.h"
#include "experiments/inference/comparison.h"
#include "experiments/inference/examples.h"
#include "experiments/inference/report.h"
#include "experiments/inference/tensors.h"
#include "experiments/inference/timing.h"
#include "experiments/text_table.h"
#include "quant/tflite/read.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxModelBytes = uint64_t{1} << 30;
constexpr int64_t kFewExamples = 8;  // whose answers are shown one by one

QuantizedModel read_model(const InferenceOptions& options, InferenceReport& report) {
  const std::vector<uint8_t> bytes = read_file(options.model, kMaxModelBytes);
  report.model = options.model.string();
  report.file_bytes = static_cast<int64_t>(bytes.size());
  QuantizedGraph graph =
      read_tflite({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, options.model.string());
  graph.runtime = options.runtime;
  report.kernels = options.kernels;
  return QuantizedModel(std::move(graph), options.kernels);
}

// How far a long run has come: one line that is overwritten, on a terminal only.
class Counter {
 public:
  explicit Counter(int64_t all) : all_(all), shown_(::isatty(::fileno(stderr)) && all > kFewExamples) {}
  ~Counter() {
    if (shown_) fmt::print(stderr, "\r\x1b[K");
  }
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;
  void show(int64_t done) const {
    if (!shown_) return;
    fmt::print(stderr, "\r{} of {}", thousands(done), thousands(all_));
    std::fflush(stderr);
  }

 private:
  int64_t all_;
  bool shown_;
};

// The accuracy, if the outputs are answers to the labels' question; says so if they are not.
std::optional<Accuracy> accuracy_of(const NpyArray& output, const Examples& examples, std::FILE* out) {
  const Shape& shape = shape_of(output);
  if (examples.labels.empty()) return std::nullopt;
  const int64_t outputs = shape.size() / shape[0];
  const int64_t highest = *std::max_element(examples.labels.begin(), examples.labels.end());
  const int64_t classes =
      examples.class_names.empty() ? highest + 1 : static_cast<int64_t>(examples.class_names.size());
  const bool enough = examples.class_names.empty() ? outputs >= classes : outputs == classes;
  if (shape[0] != examples.size() || !enough || outputs < 2) {
    fmt::print(out, "accuracy: none, outputs {} are no answers about {} examples of {} classes\n",
               shape.to_string(), thousands(examples.size()), classes);
    return std::nullopt;
  }
  return count_right(output, examples.labels);
}

// With the tensors of a folder, or with the outputs in a file.
ComparisonResult compared(const InferenceOptions& options, const QuantizedModel& model,
                          const Tensors& tensors) {
  if (!fs::is_directory(options.against))
    return compare_output(tensors.output, options.against, options.tolerance);
  std::vector<LayerTensor> layers = tensors.layers;
  // Last of all the output of ordinary runs, against the file of the layer that it is.
  layers.push_back({.number = model.graph().producer(model.graph().output) + 1,
                    .name = "output",
                    .values = tensors.output});
  return compare_layers(layers, options.against, options.tolerance);
}

// Runs the examples, and does with the tensors what the options say: files are compared with before any is
// written.
void run_examples(const InferenceOptions& options, const QuantizedModel& model, const Examples& examples,
                  const InputEncoder& encoder, std::FILE* out, InferenceReport& report) {
  const bool folder = !options.against.empty() && fs::is_directory(options.against);
  Tensors tensors;
  {
    const Counter counter(examples.size());
    tensors = compute_tensors(
        model, encoder, examples.size(),
        {.layers = folder || !options.layers.empty(), .progress = [&](int64_t done) { counter.show(done); }});
  }
  report.accuracy = accuracy_of(tensors.output, examples, out);
  if (report.accuracy) fmt::print(out, "{}", accuracy_text(*report.accuracy));
  if (examples.size() <= kFewExamples && shape_of(tensors.output)[0] == examples.size())
    fmt::print(out, "{}", answers_text(tensors.output, model, examples.class_names));
  if (!options.against.empty()) report.comparison = compared(options, model, tensors);
  if (!options.output.empty()) {
    write_npy(options.output, tensors.output);
    fmt::print(out, "written: {}\n", options.output.string());
  }
  if (!options.layers.empty()) {
    write_layers(options.layers, tensors.layers);
    fmt::print(out, "written: {} tensors in {}\n", tensors.layers.size(), options.layers.string());
  }
  if (report.comparison) {
    fmt::print(out, "\n{}{}: {}", folder ? report.comparison->table() : "", options.against.string(),
               report.comparison->verdict());
  }
}

}  // namespace

int run_inference(const InferenceOptions& options) {
  if (options.threads > 0) set_thread_count(options.threads);
  std::FILE* out = options.json ? stderr : stdout;
  InferenceReport report{.machine = describe_machine(), .threads = thread_count()};
  const QuantizedModel model = read_model(options, report);
  const Graph& graph = model.graph();
  const Value& input = graph.value(graph.input);
  fmt::print(out, "{}", summary_text(report, model));
  std::fflush(out);

  if (!options.against.empty() && !fs::exists(options.against)) {  // before the work, not after it
    throw Error(ErrorKind::kIo,
                {.what = "there is nothing to compare with", .where = options.against.string()});
  }

  StoredInputs timed = random_inputs(graph);
  if (!options.data.empty()) {
    const Examples examples = load_examples({.data = options.data,
                                             .labels = options.labels,
                                             .normalize = options.normalize,
                                             .limit = options.limit},
                                            input.shape);
    const InputEncoder encoder(examples, input.type, model.params(graph.input));
    report.data = examples.name;
    report.examples = examples.size();
    report.normalization = examples.normalization_name;
    fmt::print(out, "data: {}, {} examples{}\n", examples.name, thousands(examples.size()),
               examples.pixels() ? ", normalized by " + examples.normalization_name : "");
    if (const std::string doubt = encoder.doubt(); !doubt.empty())
      fmt::print(stderr, "run_tflite: note: {}\n", doubt);
    run_examples(options, model, examples, encoder, out, report);
    timed = stored_inputs(graph, encoder, examples.size());
    fmt::print(out, "\n");
  }
  if (options.timed_calls > 0) {
    report.timing = measure_times(model, timed, options.timed_calls);
    fmt::print(out, "{}", timing_text(*report.timing, model));
  }
  if (options.json) {
    // The names in a file may be any bytes.
    using Json = nlohmann::ordered_json;
    fmt::print("{}\n", to_json(report, model).dump(2, ' ', false, Json::error_handler_t::replace));
  }
  return report.comparison && !report.comparison->equal() ? 1 : 0;
}

}  // namespace qlimit
