#include "experiments/limit/record.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "core/error.h"
#include "core/file.h"
#include "experiments/json_object.h"

namespace qlimit {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr uint64_t kMaxFileBytes = 64 << 20;
constexpr int64_t kVersion = 1;
constexpr int64_t kMost = 1'000'000'000'000;

std::string to_string(const BitWidths& bits) { return concat(bits.weights, "/", bits.activations); }

OrderedJson to_json(const Correct& correct) {
  OrderedJson json = OrderedJson::object();
  for (const auto& [bits, count] : correct) json[to_string(bits)] = count;
  return json;
}

double rounded(double x, double steps) { return std::round(x * steps) / steps; }

void add_to(OrderedJson& json, const TrainResult& r) {
  json["parameters"] = r.parameters;
  json["multiply_adds"] = r.multiply_adds;
  json["epochs"] = r.epochs;
  json["fp32"] = r.fp32;
  json["seconds"] = rounded(r.seconds, 10);
  json["instruction_set"] = r.instruction_set;
}

void add_to(OrderedJson& json, const QuantizeResult& r) {
  json["correct"] = to_json(r.correct);
  for (const auto& [bits, count] : r.bytes) json["bytes"][concat(bits)] = count;
}

void add_to(OrderedJson& json, const LayersResult& r) {
  json["bits"] = r.bits;
  json["int8"] = r.int8;
  for (const LayerResult& layer : r.layers) {
    json["correct"][layer.name] = layer.correct;
    json["sqnr_db"][layer.name] = rounded(std::clamp(layer.sqnr_db, -kMostDecibels, kMostDecibels), 100);
  }
}

void add_to(OrderedJson& json, const CalibrationResult& r) {
  for (const auto& [images, correct] : r.correct) json["correct"][concat(images)] = to_json(correct);
}

// The whole of `key` as a number, without leading zeros; -1 if it is none.
int64_t key_number(std::string_view key) {
  int64_t value = -1;
  const char* end = key.data() + key.size();
  const auto [stop, status] = std::from_chars(key.data(), end, value);
  const bool plain = status == std::errc() && stop == end && key.front() != '-' && key.front() != '0';
  return plain ? value : -1;
}

bool is_width(int64_t bits) { return bits >= 2 && bits <= 8; }

Correct correct_from(const JsonObject& object, int64_t most) {
  Correct correct;
  for (const std::string& key : object.keys()) {
    const size_t slash = std::min(key.find('/'), key.size());
    const int64_t weights = key_number(std::string_view(key).substr(0, slash));
    const int64_t activations = slash < key.size() ? key_number(std::string_view(key).substr(slash + 1)) : -1;
    if (!is_width(weights) || !is_width(activations)) object.fail(key, "two widths, such as 4/8", key);
    correct[{static_cast<int>(weights), static_cast<int>(activations)}] = object.whole(key, 0, most);
  }
  return correct;
}

TrainResult train_from(const JsonObject& object, int64_t most) {
  return {.parameters = object.whole("parameters", 1, kMost),
          .multiply_adds = object.whole("multiply_adds", 1, kMost),
          .epochs = object.whole("epochs", 1, kMost),
          .fp32 = object.whole("fp32", 0, most),
          .seconds = object.number("seconds", 0, 1e9),
          .instruction_set = object.text("instruction_set")};
}

QuantizeResult quantize_from(const JsonObject& object, int64_t most) {
  QuantizeResult result{.correct = correct_from(object.object("correct"), most), .bytes = {}};
  if (!object.has("bytes")) return result;
  const JsonObject bytes = object.object("bytes");
  for (const std::string& key : bytes.keys()) {
    const int64_t bits = key_number(key);
    if (!is_width(bits)) bytes.fail(key, "a width, 2 to 8", key);
    result.bytes[static_cast<int>(bits)] = bytes.whole(key, 1, kMost);
  }
  return result;
}

LayersResult layers_from(const JsonObject& object, int64_t most) {
  LayersResult result{.bits = static_cast<int>(object.whole("bits", 2, 8)),
                      .int8 = object.whole("int8", 0, most),
                      .layers = {}};
  const JsonObject correct = object.object("correct"), sqnr_db = object.object("sqnr_db");
  sqnr_db.expect_keys(correct.keys());
  for (const std::string& name : correct.keys()) {
    result.layers.push_back({.name = name,
                             .correct = correct.whole(name, 0, most),
                             .sqnr_db = sqnr_db.number(name, -kMostDecibels, kMostDecibels)});
  }
  return result;
}

CalibrationResult calibration_from(const JsonObject& object, int64_t most) {
  CalibrationResult result;
  const JsonObject sizes = object.object("correct");
  for (const std::string& key : sizes.keys()) {
    const int64_t images = key_number(key);
    if (images < 1) sizes.fail(key, "a number of images", key);
    result.correct[images] = correct_from(sizes.object(key), most);
  }
  return result;
}

JobName job_from(const JsonObject& object) {
  const std::string name = object.text("job");
  try {
    return parse_job_name(name);
  } catch (const Error&) {
    object.fail("job", "a name such as quantize/plain/w8/s1/min_max", name);
  }
}

}  // namespace

std::string to_line(const StudyHeader& header) {
  const OrderedJson json = {{"study", "limit"},
                            {"version", kVersion},
                            {"preset", header.preset},
                            {"data", header.data},
                            {"test_images", header.test_images}};
  return json.dump();
}

std::string to_line(const Record& record) {
  OrderedJson json;
  json["job"] = to_string(record.job);
  std::visit([&](const auto& result) { add_to(json, result); }, record.result);
  return json.dump();
}

StudyHeader parse_header(std::string_view line, const std::string& where) {
  const JsonObject object = JsonObject::parse(line, where);
  if (object.text("study") != "limit") object.fail("study", "limit", object.text("study"));
  object.whole("version", kVersion, kVersion);
  object.expect_keys({"study", "version", "preset", "data", "test_images"});
  return {.preset = object.text("preset"),
          .data = object.text("data"),
          .test_images = object.whole("test_images", 1, kMost)};
}

Record parse_record(std::string_view line, const StudyHeader& header, const std::string& where) {
  const JsonObject object = JsonObject::parse(line, where);
  Record record{.job = job_from(object), .result = {}};
  const int64_t most = header.test_images;
  switch (record.job.kind) {
    case JobKind::kTrain:
      object.expect_keys(
          {"job", "parameters", "multiply_adds", "epochs", "fp32", "seconds", "instruction_set"});
      record.result = train_from(object, most);
      break;
    case JobKind::kQuantize:
      object.expect_keys({"job", "correct"}, {"bytes"});
      record.result = quantize_from(object, most);
      break;
    case JobKind::kLayers:
      object.expect_keys({"job", "bits", "int8", "correct", "sqnr_db"});
      record.result = layers_from(object, most);
      break;
    case JobKind::kCalibration:
      object.expect_keys({"job", "correct"});
      record.result = calibration_from(object, most);
      break;
  }
  return record;
}

LimitResults parse_limit_results(std::string_view text, const std::string& where) {
  LimitResults results;
  std::set<JobName> seen;
  for (size_t line = 1; !text.empty(); ++line) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string place = concat(where, " line ", line);
    if (line == 1) {
      results.header = parse_header(text.substr(0, end), place);
    } else {
      results.records.push_back(parse_record(text.substr(0, end), results.header, place));
      const JobName& job = results.records.back().job;
      if (!seen.insert(job).second) {
        throw Error(ErrorKind::kData,
                    {.what = "a job stands in the results twice", .where = place, .found = to_string(job)});
      }
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (results.header.test_images == 0)
    throw Error(ErrorKind::kData, {.what = "there are no results", .where = where});
  return results;
}

std::string read_limit_text(const std::filesystem::path& path) {
  const std::vector<uint8_t> bytes =
      read_file(path, kMaxFileBytes, "make it with: ./experiments/run limit_study");
  return {bytes.begin(), bytes.end()};
}

LimitResults read_limit_results(const std::filesystem::path& path) {
  return parse_limit_results(read_limit_text(path), path.string());
}

}  // namespace qlimit
