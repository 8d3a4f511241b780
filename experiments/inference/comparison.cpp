#include "experiments/inference/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "experiments/text_table.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;

// The indices of element i, "[0,3,5,2]".
std::string place_of(int64_t i, const Shape& shape) {
  std::vector<int64_t> indices;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    indices.insert(indices.begin(), i % shape[axis]);
    i /= shape[axis];
  }
  return fmt::format("[{}]", fmt::join(indices, ","));
}

template <typename T>
int unequal_bytes(T a, T b) {
  unsigned char x[sizeof(T)], y[sizeof(T)];
  std::memcpy(x, &a, sizeof(T));
  std::memcpy(y, &b, sizeof(T));
  int count = 0;
  for (size_t i = 0; i < sizeof(T); ++i) count += x[i] != y[i];
  return count;
}

template <typename T>
void compare_elements(const Tensor<T>& ours, const Tensor<T>& theirs, double tolerance,
                      TensorComparison& result) {
  result.elements = ours.size();
  for (int64_t i = 0; i < ours.size(); ++i) {
    const int bytes = unequal_bytes(ours[i], theirs[i]);
    if (bytes == 0) continue;
    const double difference = std::abs(static_cast<double>(ours[i]) - static_cast<double>(theirs[i]));
    if (tolerance > 0 && difference <= tolerance) continue;
    if (result.differing == 0) result.first = place_of(i, ours.shape());
    ++result.differing;
    result.differing_bytes += bytes;
    // What is not a number is the largest of all, and stays it.
    if (!(difference <= result.largest) && !std::isnan(result.largest)) result.largest = difference;
  }
}

// The files "NN_....npy" of a folder by their numbers.
std::map<int, fs::path> numbered_files(const fs::path& folder) {
  std::map<int, fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const size_t digits = name.find_first_not_of("0123456789");
    if (digits == 0 || digits > 6 || name[digits] != '_' || entry->path().extension() != ".npy") continue;
    const int number = std::stoi(name.substr(0, digits));
    if (!files.emplace(number, entry->path()).second) {
      throw Error(ErrorKind::kData, {.what = "two files with one number",
                                     .where = entry->path().string(),
                                     .found = files[number].filename().string()});
    }
  }
  if (error) {
    throw Error(ErrorKind::kIo,
                {.what = "cannot list the folder", .where = concat(folder.string(), ": ", error.message())});
  }
  if (files.empty()) {
    throw Error(ErrorKind::kData, {.what = "the folder holds no tensors",
                                   .where = folder.string(),
                                   .expected = "files such as 03_conv2d_2.npy, as --layers writes them"});
  }
  return files;
}

std::string amount_text(const TensorComparison& t) {
  return fmt::format("{} of {} elements ({} bytes), {} first; by {:.4g} at most", thousands(t.differing),
                     thousands(t.elements), thousands(t.differing_bytes), t.first, t.largest);
}

}  // namespace

TensorComparison compare_tensors(const std::string& name, const NpyArray& ours, const NpyArray& theirs,
                                 double tolerance) {
  TensorComparison result{.name = name};
  if (ours.index() != theirs.index()) {
    result.problem = fmt::format("{} here, {} there", type_name(ours), type_name(theirs));
  } else if (shape_of(ours) != shape_of(theirs)) {
    result.problem =
        fmt::format("{} here, {} there", shape_of(ours).to_string(), shape_of(theirs).to_string());
  } else {
    std::visit(
        [&](const auto& tensor) {
          compare_elements(tensor, std::get<std::decay_t<decltype(tensor)>>(theirs), tolerance, result);
        },
        ours);
  }
  return result;
}

ComparisonResult compare_output(const NpyArray& output, const fs::path& file, double tolerance) {
  return {{compare_tensors("output", output, read_npy(file), tolerance)}};
}

ComparisonResult compare_layers(const std::vector<LayerTensor>& layers, const fs::path& folder,
                                double tolerance) {
  const std::map<int, fs::path> files = numbered_files(folder);
  ComparisonResult result;
  for (const LayerTensor& layer : layers) {
    const std::string name = fs::path(layer_file_name(layer.number, layer.name)).stem().string();
    const auto file = files.find(layer.number);
    result.tensors.push_back(file == files.end()
                                 ? TensorComparison{.name = name, .problem = "not there"}
                                 : compare_tensors(name, layer.values, read_npy(file->second), tolerance));
  }
  return result;
}

const TensorComparison* ComparisonResult::first_difference() const {
  const auto found = std::find_if(tensors.begin(), tensors.end(), [](const auto& t) { return !t.equal(); });
  return found == tensors.end() ? nullptr : &*found;
}

bool ComparisonResult::equal() const { return first_difference() == nullptr; }

std::string ComparisonResult::verdict() const {
  const auto count = [](int64_t n, const char* what) {
    return fmt::format("{} {}{}", thousands(n), what, n == 1 ? "" : "s");
  };
  const TensorComparison* first = first_difference();
  if (!first) {
    int64_t elements = 0;
    for (const TensorComparison& t : tensors) elements += t.elements;
    return fmt::format("equal: {}, {}\n", count(static_cast<int64_t>(tensors.size()), "tensor"),
                       count(elements, "element"));
  }
  const auto differing =
      std::count_if(tensors.begin(), tensors.end(), [](const auto& t) { return !t.equal(); });
  return fmt::format("{} of {} differ, first {}: {}\n", differing,
                     count(static_cast<int64_t>(tensors.size()), "tensor"), first->name,
                     first->problem.empty() ? amount_text(*first) : first->problem);
}

std::string ComparisonResult::table() const {
  std::vector<TextRow> rows = {{"tensor", "elements", "differ", "bytes", "largest", "first"}};
  for (const TensorComparison& t : tensors) {
    if (!t.problem.empty()) {
      rows.push_back({t.name, t.problem});
    } else if (t.differing == 0) {
      rows.push_back({t.name, thousands(t.elements), "0"});
    } else {
      rows.push_back({t.name, thousands(t.elements), thousands(t.differing), thousands(t.differing_bytes),
                      fmt::format("{:.4g}", t.largest), t.first});
    }
  }
  return text_table(rows);
}

}  // namespace qlimit
