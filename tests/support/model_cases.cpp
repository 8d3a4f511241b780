#include "tests/support/model_cases.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "core/error.h"
#include "core/file.h"
#include "data/gzip.h"
#include "quant/tflite/read.h"

namespace qlimit {
namespace {

constexpr uint64_t kMostBytes = uint64_t{1} << 31;

std::vector<uint8_t> read_plain(const std::filesystem::path& path) {
  std::vector<uint8_t> bytes = read_file(path, kMostBytes);
  return is_gzip(bytes) ? gunzip(bytes, kMostBytes, path.string()) : bytes;
}

// Takes records off the front of a container.
class Records {
 public:
  Records(std::span<const uint8_t> bytes, std::string where) : rest_(bytes), where_(std::move(where)) {}

  bool empty() const { return rest_.empty(); }

  std::string next() {
    uint32_t size = 0;
    const std::span<const uint8_t> head = take(sizeof(size));
    std::memcpy(&size, head.data(), sizeof(size));
    const std::span<const uint8_t> record = take(size);
    return {record.begin(), record.end()};
  }

 private:
  std::span<const uint8_t> take(size_t count) {
    if (count > rest_.size())
      throw Error(ErrorKind::kData, {.what = "a container of model cases ends early", .where = where_});
    const std::span<const uint8_t> front = rest_.first(count);
    rest_ = rest_.subspan(count);
    return front;
  }

  std::span<const uint8_t> rest_;
  std::string where_;
};

}  // namespace

std::vector<ModelCase> read_model_cases(const std::filesystem::path& path) {
  const std::vector<uint8_t> bytes = read_plain(path);
  Records records(bytes, path.string());
  std::vector<ModelCase> cases;
  while (!records.empty()) {
    ModelCase& c = cases.emplace_back();
    for (std::string* field : {&c.name, &c.model, &c.input, &c.litert, &c.tflite_micro})
      *field = records.next();
  }
  return cases;
}

size_t stored_bytes(const Value& value) {
  return static_cast<size_t>(value.shape.size() * element_bytes(value.type));
}

std::string run_stored(const QuantizedModel& model, std::string_view input) {
  const Graph& graph = model.graph();
  const size_t input_bytes = stored_bytes(graph.value(graph.input));
  const size_t runs = input.size() / input_bytes;
  if (runs == 0 || input.size() % input_bytes != 0)
    throw Error(ErrorKind::kData, {.what = "an input of another size", .where = "run_stored"});
  constexpr size_t kMostRuns = 64;  // at once
  Workspace workspace = model.make_workspace(static_cast<int64_t>(std::min(runs, kMostRuns)));
  std::string output(runs * stored_bytes(graph.value(graph.output)), '\0');
  model.run_stored(input.data(), static_cast<int64_t>(runs), output.data(), workspace);
  return output;
}

std::string replay(const ModelCase& test_case, Runtime runtime, Kernels kernels) {
  QuantizedGraph graph = read_tflite(test_case.model, test_case.name);
  graph.runtime = runtime;
  return run_stored(QuantizedModel(std::move(graph), kernels), test_case.input);
}

}  // namespace qlimit
