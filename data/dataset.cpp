#include "data/dataset.h"

#include <algorithm>
#include <numeric>

#include "core/random.h"

namespace qlimit {

void check_dataset(const Dataset& dataset, const std::string& where, const std::string& hint) {
  if (dataset.images.rank() != 4 || dataset.images.size() == 0) {
    throw Error(ErrorKind::kData, {.what = "the data set has no images",
                                   .where = where,
                                   .expected = "sizes [N,H,W,C] of at least 1",
                                   .found = dataset.images.shape().to_string(),
                                   .hint = hint});
  }
  const auto label_count = static_cast<int64_t>(dataset.labels.size());
  if (label_count != dataset.size()) {
    throw Error(ErrorKind::kData, {.what = "the numbers of images and labels differ",
                                   .where = where,
                                   .expected = concat(dataset.size(), " labels"),
                                   .found = concat(label_count),
                                   .hint = hint});
  }
  const auto bad = std::find_if(dataset.labels.begin(), dataset.labels.end(),
                                [&](uint8_t label) { return label >= dataset.classes(); });
  if (bad != dataset.labels.end()) {
    throw Error(ErrorKind::kData, {.what = "a label names no class",
                                   .where = concat(where, ", image ", bad - dataset.labels.begin()),
                                   .expected = concat("a number below ", dataset.classes()),
                                   .found = concat(int{*bad}),
                                   .hint = hint});
  }
}

Dataset select(const Dataset& dataset, std::span<const int64_t> indices) {
  if (indices.empty()) throw Error(ErrorKind::kUsage, {.what = "no images selected", .where = dataset.name});
  const Shape& all = dataset.images.shape();
  const int64_t image_size = all[1] * all[2] * all[3];
  Dataset part{.images = Tensor<uint8_t>::uninitialized(
                   {static_cast<int64_t>(indices.size()), all[1], all[2], all[3]}),
               .labels = {},
               .class_names = dataset.class_names,
               .name = dataset.name};
  part.labels.reserve(indices.size());
  uint8_t* to = part.images.data();
  for (const int64_t index : indices) {
    if (index < 0 || index >= dataset.size()) {
      throw Error(ErrorKind::kUsage, {.what = "image index out of range",
                                      .where = dataset.name,
                                      .expected = concat("0 to ", dataset.size() - 1),
                                      .found = concat(index)});
    }
    to = std::copy_n(dataset.images.data() + index * image_size, image_size, to);
    part.labels.push_back(dataset.labels[static_cast<size_t>(index)]);
  }
  return part;
}

Dataset take(const Dataset& dataset, int64_t count) {
  std::vector<int64_t> indices(static_cast<size_t>(std::clamp<int64_t>(count, 0, dataset.size())));
  std::iota(indices.begin(), indices.end(), 0);
  return select(dataset, indices);
}

DatasetSplit split(const Dataset& dataset, int64_t validation_count, uint64_t seed) {
  if (validation_count < 1 || validation_count >= dataset.size()) {
    throw Error(ErrorKind::kUsage, {.what = "the validation part must leave something on both sides",
                                    .where = dataset.name,
                                    .expected = concat("1 to ", dataset.size() - 1, " images"),
                                    .found = concat(validation_count)});
  }
  std::vector<int64_t> order(static_cast<size_t>(dataset.size()));
  std::iota(order.begin(), order.end(), 0);
  Random(seed, "validation split").shuffle(order);
  const auto cut = order.begin() + validation_count;
  std::sort(order.begin(), cut);
  std::sort(cut, order.end());
  return {.train = select(dataset, {cut, order.end()}), .validation = select(dataset, {order.begin(), cut})};
}

}  // namespace qlimit
