#include "experiments/inference/examples.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "data/image_folder.h"
#include "data/location.h"
#include "quant/kernels/quantize.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kDatasets = {"mnist", "fashion_mnist", "cifar10", "tiny"};

bool is_dataset(const std::string& name) {
  return std::find(kDatasets.begin(), kDatasets.end(), name) != kDatasets.end();
}

bool ends_with(const std::string& text, const std::string& ending) {
  return text.size() >= ending.size() &&
         std::equal(ending.rbegin(), ending.rend(), text.rbegin(),
                    [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
}

DatasetPair named_dataset(const std::string& name) {
  return name == "tiny" ? load_dataset("mnist", "tiny") : load_dataset(name);
}

// The data set whose files lie in a folder, by name; empty if it is none.
std::string dataset_in(const fs::path& folder) {
  std::error_code ignored;
  const auto holds = [&](const char* file) { return fs::exists(folder / file, ignored); };
  if (holds("test_batch.bin")) return "cifar10";
  if (!holds("t10k-images-idx3-ubyte") && !holds("t10k-images-idx3-ubyte.gz")) return "";
  return fs::absolute(folder).lexically_normal().string().find("fashion_mnist") == std::string::npos
             ? "mnist"
             : "fashion_mnist";
}

// ---- Normalization ----

// An array of another rank than that of images has one channel: its last axis may mean anything.
int64_t channels_of(const NpyArray& values) {
  const Shape& shape = shape_of(values);
  return shape.rank() == 4 ? shape[3] : 1;
}

std::vector<double> numbers(const std::string& text) {
  std::vector<double> found;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    std::istringstream one(part);
    double value = 0;
    if (!(one >> value) || !(one >> std::ws).eof() || !std::isfinite(value)) return {};
    found.push_back(value);
  }
  return found;
}

// "0.5/0.5", "0.49,0.48,0.45/0.25,0.24,0.26"
Normalization parse_normalization(const std::string& text, int64_t channels) {
  const size_t slash = text.find('/');
  Normalization n;
  if (slash != std::string::npos) {
    n = {.mean = numbers(text.substr(0, slash)), .deviation = numbers(text.substr(slash + 1))};
  }
  for (std::vector<double>* values : {&n.mean, &n.deviation}) {
    if (values->size() == 1) values->resize(static_cast<size_t>(channels), values->front());
  }
  const auto count = static_cast<size_t>(channels);
  const bool positive = std::all_of(n.deviation.begin(), n.deviation.end(), [](double d) { return d > 0; });
  if (n.mean.size() != count || n.deviation.size() != count || !positive) {
    throw Error(ErrorKind::kUsage,
                {.what = "cannot normalize",
                 .where = "--normalize",
                 .expected = concat("dataset, the name of one, unit, none, or MEAN/STD with 1 or ", channels,
                                    " numbers each, STD positive"),
                 .found = text});
  }
  return n;
}

// Fills in how pixels are normalized. `train`: of the data set that the examples belong to, or null.
void choose_normalization(const std::string& wanted, const Dataset* train, Examples& examples) {
  const std::string choice = !wanted.empty() ? wanted : train ? "dataset" : "unit";
  const int64_t channels = channels_of(examples.values);
  if (choice == "dataset") {
    if (!train) {
      throw Error(ErrorKind::kUsage, {.what = "--normalize dataset, but --data is no data set",
                                      .hint = "name the one that the model was trained on"});
    }
    examples.normalization = channel_statistics(*train);
    examples.normalization_name = "the statistics of " + train->name;
  } else if (is_dataset(choice)) {
    examples.normalization = channel_statistics(named_dataset(choice).train);
    examples.normalization_name = "the statistics of " + choice;
  } else if (choice == "unit") {
    examples.normalization_name = "x/255";
  } else if (choice == "none") {
    const auto count = static_cast<size_t>(channels);
    examples.normalization = {.mean = std::vector<double>(count, 0),
                              .deviation = std::vector<double>(count, 1 / 255.0)};
    examples.normalization_name = "none";
  } else {
    examples.normalization = parse_normalization(choice, channels);
    examples.normalization_name = choice;
  }
}

// ---- The sources ----

Examples from_dataset(const DatasetPair& pair, const ExamplesRequest& request) {
  const Dataset test = request.limit > 0 ? take(pair.test, request.limit) : pair.test;
  Examples examples{.name = test.name + ", test images",
                    .values = test.images,
                    .labels = {test.labels.begin(), test.labels.end()},
                    .class_names = test.class_names};
  choose_normalization(request.normalize, &pair.train, examples);
  return examples;
}

bool is_picture(const Shape& input) { return input.rank() == 4 && (input[3] == 1 || input[3] == 3); }

// The size of pictures that an input takes: [H,W,C].
Shape picture_shape(const Shape& input) {
  if (is_picture(input)) return {input[1], input[2], input[3]};
  if (input.rank() == 3) return {input[1], input[2], 1};
  throw Error(ErrorKind::kUsage, {.what = "the model's input is no picture",
                                  .expected = "[N,H,W,1] or [N,H,W,3]",
                                  .found = input.to_string(),
                                  .hint = "give it an array, FILE.npy"});
}

Examples from_pictures(ImageFolder folder, const ExamplesRequest& request) {
  Examples examples{.name = request.data,
                    .values = folder.images,
                    .labels = std::move(folder.labels),
                    .class_names = std::move(folder.class_names)};
  choose_normalization(request.normalize, nullptr, examples);
  return examples;
}

// The first `count` rows, or all.
NpyArray first_rows(const NpyArray& array, int64_t count) {
  return std::visit(
      [&](const auto& all) -> NpyArray {
        if (count == 0 || count >= all.dim(0)) return all;
        auto part = std::decay_t<decltype(all)>::uninitialized(with_batch(all.shape(), count));
        std::copy_n(all.data(), part.size(), part.data());
        return part;
      },
      array);
}

std::vector<int64_t> read_labels(const fs::path& path, int64_t examples) {
  const NpyArray array = read_npy(path);
  const auto refuse = [&](const std::string& expected, const std::string& found) {
    throw Error(ErrorKind::kData, {.what = "these are not the labels of the examples",
                                   .where = path.string(),
                                   .expected = expected,
                                   .found = found});
  };
  if (std::holds_alternative<Tensor<float>>(array)) refuse("whole numbers", type_name(array));
  if (shape_of(array).size() != examples) refuse(concat(examples, " labels"), shape_of(array).to_string());
  std::vector<int64_t> labels =
      std::visit([](const auto& t) { return std::vector<int64_t>(t.begin(), t.end()); }, array);
  const int64_t lowest = *std::min_element(labels.begin(), labels.end());
  if (lowest < 0) refuse("classes from 0", concat(lowest));
  return labels;
}

std::vector<int64_t> without_ones(const Shape& shape) {
  std::vector<int64_t> sizes;
  for (int axis = 1; axis < shape.rank(); ++axis) {
    if (shape[axis] != 1) sizes.push_back(shape[axis]);
  }
  return sizes;
}

NpyArray reshaped(const NpyArray& array, const Shape& shape) {
  return std::visit([&](const auto& t) -> NpyArray { return t.reshape(shape); }, array);
}

// Examples of the input's shape but for axes of size 1, with the N in front. If the input is a picture
// [N,H,W,C] they get its shape, so that their last axis are the channels. Others stay as they are.
NpyArray with_all_axes(const NpyArray& array, const Shape& input) {
  const Shape& shape = shape_of(array);
  const auto fits = [&](const Shape& s) { return without_ones(s) == without_ones(input); };
  if (shape.rank() == 0) return reshaped(array, {1});
  std::vector<int64_t> sizes(shape.begin(), shape.end());
  if (!fits(shape) && shape.rank() < Shape::kMaxRank) sizes.insert(sizes.begin(), 1);  // perhaps a single one
  if (!fits(Shape(sizes))) return array;
  return reshaped(array, is_picture(input) ? with_batch(input, sizes[0]) : Shape(sizes));
}

Examples from_array(const ExamplesRequest& request, const Shape& input) {
  NpyArray array = read_npy(request.data);
  if (std::holds_alternative<Tensor<int32_t>>(array) || std::holds_alternative<Tensor<int64_t>>(array)) {
    throw Error(ErrorKind::kData, {.what = "no model takes numbers of this type",
                                   .where = request.data,
                                   .expected = "uint8, int8 or float32",
                                   .found = type_name(array)});
  }
  array = with_all_axes(array, input);
  Examples examples{.name = request.data, .values = array};
  if (!request.labels.empty()) examples.labels = read_labels(request.labels, examples.size());
  examples.values = first_rows(array, request.limit);
  if (!examples.labels.empty()) examples.labels.resize(static_cast<size_t>(examples.size()));
  if (examples.pixels()) {
    choose_normalization(request.normalize, nullptr, examples);
  } else if (!request.normalize.empty()) {
    throw Error(ErrorKind::kUsage, {.what = "--normalize is for pixels",
                                    .where = request.data,
                                    .expected = "uint8",
                                    .found = type_name(array)});
  }
  return examples;
}

Examples load(const ExamplesRequest& request, const Shape& input) {
  const fs::path path = request.data;
  if (is_dataset(request.data)) return from_dataset(named_dataset(request.data), request);
  if (ends_with(request.data, ".npy")) return from_array(request, input);
  if (ends_with(request.data, ".png"))
    return from_pictures(read_one_image(path, picture_shape(input)), request);
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) {
    throw Error(ErrorKind::kUsage, {.what = "--data is neither a data set nor a folder, .png or .npy",
                                    .expected = fmt::format("{}, or a path", fmt::join(kDatasets, ", ")),
                                    .found = request.data});
  }
  if (const std::string name = dataset_in(path); !name.empty())
    return from_dataset(load_dataset(name, path.string()), request);
  if (fs::exists(path / "cifar-10-batches-bin", ignored) || fs::exists(path / "mnist", ignored)) {
    throw Error(ErrorKind::kUsage, {.what = "the folder holds several data sets",
                                    .where = request.data,
                                    .hint = "name the folder of one of them"});
  }
  return from_pictures(read_image_folder(path, picture_shape(input), request.limit), request);
}

void check_fit(const Examples& examples, const Shape& input) {
  const Shape& shape = shape_of(examples.values);
  const int64_t size = shape.size() / shape[0];
  const bool flat = input.rank() == 2 && input[1] == size;
  if (without_ones(shape) == without_ones(input) || flat) return;
  throw Error(ErrorKind::kData, {.what = "the data do not fit the model's input",
                                 .where = examples.name,
                                 .expected = input.to_string(),
                                 .found = shape.to_string()});
}

}  // namespace

Examples load_examples(const ExamplesRequest& request, const Shape& input) {
  const bool array = ends_with(request.data, ".npy");
  if (!request.labels.empty() && (!array || is_dataset(request.data))) {
    throw Error(ErrorKind::kUsage,
                {.what = "--labels is for an array", .where = request.data, .expected = "FILE.npy"});
  }
  Examples examples = load(request, input);
  check_fit(examples, input);
  return examples;
}

InputEncoder::InputEncoder(const Examples& examples, DataType type, AffineParams params)
    : examples_(examples),
      type_(type),
      params_(params),
      size_(shape_of(examples.values).size() / examples.size()) {
  if (std::holds_alternative<Tensor<int8_t>>(examples.values) && type != DataType::kInt8) {
    throw Error(
        ErrorKind::kUsage,
        {.what = "the model takes floats", .where = examples.name, .expected = "float32", .found = "int8"});
  }
  if (!examples.pixels()) return;
  channels_ = channels_of(examples.values);
  const NormalizationTable table(examples.normalization, channels_);
  real_.assign(table.row(0), table.row(0) + channels_ * 256);
  if (type == DataType::kInt8) {
    quantized_.resize(real_.size());
    int8::quantize(params, real_.data(), channels_ * 256, quantized_.data());
  }
}

template <typename T>
void InputEncoder::encode_pixels(const std::vector<T>& table, int64_t first, int64_t count, T* to) const {
  const uint8_t* x = std::get<Tensor<uint8_t>>(examples_.values).data() + first * size_;
  for (int64_t pixel = 0; pixel < count * size_ / channels_; ++pixel) {
    for (int64_t c = 0; c < channels_; ++c) *to++ = table[static_cast<size_t>(c * 256 + *x++)];
  }
}

void InputEncoder::encode(int64_t first, int64_t count, void* to) const {
  if (examples_.pixels()) {
    if (type_ == DataType::kInt8) return encode_pixels(quantized_, first, count, static_cast<int8_t*>(to));
    return encode_pixels(real_, first, count, static_cast<float*>(to));
  }
  if (const auto* stored = std::get_if<Tensor<int8_t>>(&examples_.values)) {
    std::copy_n(stored->data() + first * size_, count * size_, static_cast<int8_t*>(to));
    return;
  }
  const float* x = std::get<Tensor<float>>(examples_.values).data() + first * size_;
  if (type_ == DataType::kInt8) {
    int8::quantize(params_, x, count * size_, static_cast<int8_t*>(to));
  } else {
    std::copy_n(x, count * size_, static_cast<float*>(to));
  }
}

std::string InputEncoder::doubt() const {
  if (!examples_.pixels() || type_ != DataType::kInt8) return "";
  const auto [low, high] = std::minmax_element(real_.begin(), real_.end());
  const double from = (-128.0 - params_.zero_point) * params_.scale;
  const double to = (127.0 - params_.zero_point) * params_.scale;
  const double share = (static_cast<double>(*high) - *low) / (to - from);
  if (share > 0.5 && share < 2) return "";
  return fmt::format(
      "normalized pixels reach from {:.3g} to {:.3g}, the model's input from {:.3g} to {:.3g}: is "
      "--normalize right?",
      *low, *high, from, to);
}

}  // namespace qlimit
