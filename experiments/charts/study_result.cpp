#include "experiments/charts/study_result.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file.h"

namespace qlimit {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kMaxFileBytes = 64 << 20;
constexpr size_t kMaxNameLength = 100;

// An object of the file together with its place, so that each complaint names file and key.
class Section {
 public:
  Section(const Json& json, std::string place) : json_(json), place_(std::move(place)) {
    if (!json.is_object()) fail("", "an object", json.type_name());
  }

  Section section(const std::string& key) const { return Section(at(key), place_ + "." + key); }

  double number(const std::string& key, double low, double high) const {
    const Json& value = at(key);
    if (!value.is_number()) fail(key, "a number", value.type_name());
    const double number = value.get<double>();
    if (!(number >= low && number <= high))
      fail(key, concat("a number from ", low, " to ", high), concat(number));
    return number;
  }

  int64_t count(const std::string& key) const {
    const double value = number(key, 1, 1e15);
    if (value != std::floor(value)) fail(key, "a whole number", concat(value));
    return static_cast<int64_t>(value);
  }

  std::string name(const std::string& key) const {
    const Json& value = at(key);
    if (!value.is_string()) fail(key, "a string", value.type_name());
    const std::string text = value.get<std::string>();
    const bool printable = text.find_first_of(std::string("\0\n\r\t|", 5)) == std::string::npos;
    if (text.empty() || text.size() > kMaxNameLength || !printable) {
      fail(key, concat("1 to ", kMaxNameLength, " printable bytes"), concat(text.size(), " bytes"));
    }
    return text;
  }

  const Json* find(const std::string& key) const {
    const auto it = json_.find(key);
    return it == json_.end() ? nullptr : &*it;
  }

  [[noreturn]] void fail(const std::string& key, const std::string& expected,
                         const std::string& found) const {
    throw Error(ErrorKind::kData, {.what = "result file is not as it should be",
                                   .where = key.empty() ? place_ : place_ + "." + key,
                                   .expected = expected,
                                   .found = found,
                                   .hint = "run the experiment again"});
  }

 private:
  const Json& at(const std::string& key) const {
    const Json* value = find(key);
    if (value == nullptr) fail(key, "a value", "nothing");
    return *value;
  }

  const Json& json_;
  std::string place_;
};

VariantFigures variant(const Section& section) {
  constexpr double kShortest = 1e-6, kLongest = 1e12;  // microseconds
  const Section latency = section.section("latency_us");
  VariantFigures figures;
  figures.accuracy = section.number("accuracy", 0, 1);
  figures.standard_error = section.number("standard_error", 0, 1);
  figures.model_bytes = section.count("model_bytes");
  figures.latency_us.low = latency.number("low", kShortest, kLongest);
  figures.latency_us.median = latency.number("median", figures.latency_us.low, kLongest);
  figures.latency_us.high = latency.number("high", figures.latency_us.median, kLongest);
  return figures;
}

Json parse(std::string_view text, const std::string& where) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    throw Error(ErrorKind::kData, {.what = "result file is not JSON",
                                   .where = where,
                                   .found = concat("a mistake at byte ", error.byte, " of ", text.size()),
                                   .hint = "run the experiment again"});
  } catch (const Json::exception&) {  // a number too large for any type
    throw Error(ErrorKind::kData, {.what = "result file has a number out of range", .where = where});
  }
}

}  // namespace

StudyResult parse_study_result(std::string_view text, const std::string& where) {
  const Json json = parse(text, where);
  const Section root(json, where);
  StudyResult result;
  result.experiment = root.name("experiment");
  result.dataset = root.name("dataset");
  result.parameters = root.count("parameters");
  result.fp32 = variant(root.section("fp32"));
  result.int8 = variant(root.section("int8"));
  if (root.find("machine") != nullptr) {
    const Section machine = root.section("machine");
    if (machine.find("processor") != nullptr) result.processor = machine.name("processor");
    if (result.processor == "unknown") result.processor.clear();
  }
  return result;
}

StudyResult read_study_result(const std::filesystem::path& path) {
  const std::string experiment = path.parent_path().filename().string();
  const std::string hint = "make it with: ./experiments/run " + (experiment.empty() ? "all" : experiment);
  const std::vector<uint8_t> bytes = read_file(path, kMaxFileBytes, hint);
  return parse_study_result({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string());
}

std::string dataset_title(const std::string& dataset) {
  if (dataset == "mnist") return "MNIST";
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
