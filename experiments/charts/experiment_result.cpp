#include "experiments/charts/experiment_result.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/file.h"
#include "experiments/json_object.h"

namespace qlimit {
namespace {

constexpr uint64_t kMaxFileBytes = 64 << 20;

int64_t count(const JsonObject& object, const std::string& key) {
  return object.whole(key, 1, int64_t{1} << 50);
}

// That fits in a line of a chart or a table.
std::string name(const JsonObject& object, const std::string& key) {
  constexpr size_t kMaxLength = 100;
  const std::string text = object.text(key);
  const bool printable = text.find_first_of(std::string("\0\n\r\t|", 5)) == std::string::npos;
  if (text.empty() || text.size() > kMaxLength || !printable)
    object.fail(key, concat("1 to ", kMaxLength, " printable bytes"), concat(text.size(), " bytes"));
  return text;
}

VariantFigures variant(const JsonObject& object) {
  constexpr double kShortest = 1e-6, kLongest = 1e12;  // microseconds
  const JsonObject latency = object.object("latency_us");
  VariantFigures figures;
  figures.accuracy = object.number("accuracy", 0, 1);
  figures.standard_error = object.number("standard_error", 0, 1);
  figures.model_bytes = count(object, "model_bytes");
  figures.latency_us.low = latency.number("low", kShortest, kLongest);
  figures.latency_us.median = latency.number("median", figures.latency_us.low, kLongest);
  figures.latency_us.high = latency.number("high", figures.latency_us.median, kLongest);
  return figures;
}

}  // namespace

ExperimentResult parse_experiment_result(std::string_view text, const std::string& where) {
  const JsonObject root = JsonObject::parse(text, where, "run the experiment again");
  ExperimentResult result;
  result.experiment = name(root, "experiment");
  result.dataset = name(root, "dataset");
  result.parameters = count(root, "parameters");
  result.fp32 = variant(root.object("fp32"));
  result.int8 = variant(root.object("int8"));
  if (root.has("machine")) {
    const JsonObject machine = root.object("machine");
    if (machine.has("processor")) result.processor = name(machine, "processor");
    if (result.processor == "unknown") result.processor.clear();
    if (machine.has("instruction_set")) result.instruction_set = name(machine, "instruction_set");
  }
  if (root.has("threads")) result.threads = count(root, "threads");
  return result;
}

ExperimentResult read_experiment_result(const std::filesystem::path& path) {
  const std::string experiment = path.parent_path().filename().string();
  const std::string hint = "make it with: ./experiments/run " + (experiment.empty() ? "all" : experiment);
  const std::vector<uint8_t> bytes = read_file(path, kMaxFileBytes, hint);
  return parse_experiment_result({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string());
}

std::string dataset_title(const std::string& dataset) {
  if (dataset == "mnist") return "MNIST";
  if (dataset == "mnist_tiny") return "MNIST, tiny";
  if (dataset == "fashion_mnist") return "Fashion-MNIST";
  if (dataset == "cifar10") return "CIFAR-10";
  return dataset;
}

namespace {

// Two digits below 10, whole numbers above, in the first unit of which there are fewer than `limit`.
std::string with_unit(double value, std::initializer_list<const char*> units, double limit) {
  auto unit = units.begin();
  while (value >= limit && unit + 1 != units.end()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", value, value < 9.95 ? 1 : 0, *unit);
}

}  // namespace

std::string latency_text(double microseconds) { return with_unit(microseconds, {"µs", "ms", "s"}, 9999.5); }

std::string bytes_text(int64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  return with_unit(static_cast<double>(bytes), {"B", "kB", "MB", "GB", "TB"}, 999.5);
}

}  // namespace qlimit
