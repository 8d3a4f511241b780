#include "experiments/inference/tensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <optional>

#include "core/file.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kRunsPerCall = 64;
constexpr size_t kLongestName = 80;

int64_t bytes_of(const Value& value) { return value.shape.size() * element_bytes(value.type); }

// One value of the graph, collected over all runs.
class Collector {
 public:
  Collector(const Value& value, int64_t per_run, int64_t runs, int64_t count)
      : rows_per_run_(value.shape[0]),
        row_bytes_(bytes_of(value) / rows_per_run_),
        rows_(rows_per_run_ == per_run ? count : runs * rows_per_run_),
        shape_(with_batch(value.shape, rows_)),
        type_(value.type) {}

  int64_t bytes() const { return rows_ * row_bytes_; }
  void allocate() {
    if (type_ == DataType::kInt8) {
      array_ = Tensor<int8_t>::uninitialized(shape_);
    } else {
      array_ = Tensor<float>::uninitialized(shape_);
    }
    data_ = std::visit([](auto& tensor) { return reinterpret_cast<std::byte*>(tensor.data()); }, array_);
  }
  // Different runs write to different rows, so they may do so at the same time.
  void take(int64_t run, const void* data) {
    const int64_t first = run * rows_per_run_;
    const int64_t rows = std::min(rows_per_run_, rows_ - first);
    std::memcpy(data_ + first * row_bytes_, data, static_cast<size_t>(rows * row_bytes_));
  }
  const NpyArray& array() const { return array_; }

 private:
  int64_t rows_per_run_;
  int64_t row_bytes_;
  int64_t rows_;
  Shape shape_;
  DataType type_;
  NpyArray array_;
  std::byte* data_ = nullptr;
};

// The tensors of all layers, by ValueId.
class LayerCollector {
 public:
  LayerCollector(const Graph& graph, int64_t per_run, int64_t runs, int64_t count)
      : graph_(graph), place_(graph.values.size(), -1) {
    add(graph.input, per_run, runs, count);
    for (const Node& node : graph.nodes) add(node.output, per_run, runs, count);
  }

  std::vector<Collector>& all() { return layers_; }
  void take(int64_t run, ValueId id, const void* data) {
    layers_[static_cast<size_t>(place_[static_cast<size_t>(id)])].take(run, data);
  }
  std::vector<LayerTensor> tensors() const {
    std::vector<LayerTensor> tensors;
    for (size_t i = 0; i < layers_.size(); ++i) {
      const ValueId id = i == 0 ? graph_.input : graph_.nodes[i - 1].output;
      tensors.push_back(
          {.number = static_cast<int>(i), .name = graph_.value(id).name, .values = layers_[i].array()});
    }
    return tensors;
  }

 private:
  void add(ValueId id, int64_t per_run, int64_t runs, int64_t count) {
    place_[static_cast<size_t>(id)] = static_cast<int>(layers_.size());
    layers_.emplace_back(graph_.value(id), per_run, runs, count);
  }

  const Graph& graph_;
  std::vector<Collector> layers_;
  std::vector<int> place_;
};

void check_size(int64_t bytes) {
  if (bytes > kMaxTensorBytes) {
    throw Error(ErrorKind::kUsage, {.what = "these tensors are too large to keep",
                                    .expected = concat("at most ", kMaxTensorBytes, " bytes"),
                                    .found = concat(bytes),
                                    .hint = "run fewer images: --limit"});
  }
}

}  // namespace

int64_t examples_per_run(const Graph& graph) { return graph.value(graph.input).shape[0]; }

Tensors compute_tensors(const QuantizedModel& model, const InputEncoder& encoder, int64_t count,
                        const ComputeOptions& options) {
  const Graph& graph = model.graph();
  const int64_t per_run = examples_per_run(graph);
  const int64_t runs = (count + per_run - 1) / per_run;
  Collector output(graph.value(graph.output), per_run, runs, count);
  std::optional<LayerCollector> layers;
  if (options.layers) layers.emplace(graph, per_run, runs, count);
  int64_t bytes = output.bytes();
  if (layers) {
    for (const Collector& layer : layers->all()) bytes += layer.bytes();
  }
  check_size(bytes);
  output.allocate();
  if (layers) {
    for (Collector& layer : layers->all()) layer.allocate();
  }

  const int64_t input_bytes = bytes_of(graph.value(graph.input));
  const int64_t example_bytes = input_bytes / per_run;
  const int64_t output_bytes = bytes_of(graph.value(graph.output));
  const int64_t at_once = std::min(runs, kRunsPerCall);
  std::vector<std::byte> inputs(static_cast<size_t>(at_once * input_bytes));
  std::vector<std::byte> outputs(static_cast<size_t>(at_once * output_bytes));
  Workspace workspace = model.make_workspace(at_once);
  for (int64_t first = 0; first < runs; first += at_once) {
    const int64_t now = std::min(at_once, runs - first);
    const int64_t there = std::min(now * per_run, count - first * per_run);
    encoder.encode(first * per_run, there, inputs.data());
    for (int64_t i = there; i < now * per_run; ++i)
      encoder.encode(count - 1, 1, inputs.data() + i * example_bytes);
    // Without a probe: the output is that of the kernels in use, not of those that show every layer.
    model.run_stored(inputs.data(), now, outputs.data(), workspace);
    for (int64_t run = 0; run < now; ++run) output.take(first + run, outputs.data() + run * output_bytes);
    if (layers) {
      const Probe collect = [&](int64_t run, ValueId id, const void* data) {
        layers->take(first + run, id, data);
      };
      model.run_stored(inputs.data(), now, outputs.data(), workspace, &collect);
    }
    if (options.progress) options.progress(first * per_run + there);
  }
  return {.output = output.array(), .layers = layers ? layers->tensors() : std::vector<LayerTensor>()};
}

std::string layer_file_name(int number, const std::string& name) {
  std::string safe = name.substr(0, kLongestName);
  for (char& c : safe) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '.') c = '_';
  }
  return fmt::format("{:02}_{}.npy", number, safe);
}

void write_layers(const fs::path& folder, const std::vector<LayerTensor>& layers) {
  ensure_writable_folder(folder);
  for (const LayerTensor& layer : layers)
    write_npy(folder / layer_file_name(layer.number, layer.name), layer.values);
}

std::vector<int64_t> largest_of_rows(const NpyArray& output) {
  return std::visit(
      [](const auto& values) {
        const int64_t rows = values.dim(0), size = values.size() / rows;
        std::vector<int64_t> places;
        for (int64_t row = 0; row < rows; ++row) {
          const auto* begin = values.data() + row * size;
          places.push_back(std::max_element(begin, begin + size) - begin);
        }
        return places;
      },
      output);
}

}  // namespace qlimit
