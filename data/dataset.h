// A labelled set of images, held in memory as bytes; the readers make one, the loader reads it.
//
//   DatasetPair mnist = load_dataset("mnist");
//   DatasetSplit parts = split(mnist.train, 5000, /*seed=*/42);   // 55,000 to train, 5,000 to validate
//
// Bytes, not floats: CIFAR-10 takes 184 MB that way instead of 737, and the quantized models start from
// bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace qlimit {

struct Dataset {
  Tensor<uint8_t> images;                // [N,H,W,C]
  std::vector<uint8_t> labels;           // N, each below class_names.size()
  std::vector<std::string> class_names;  // K
  std::string name;                      // "cifar10"

  int64_t size() const { return images.dim(0); }
  int64_t classes() const { return static_cast<int64_t>(class_names.size()); }
};

/// What is learned from, and what is only ever measured on.
struct DatasetPair {
  Dataset train;
  Dataset test;
};

/// Throws kData, naming `where` and the first offender, unless the images have rank 4, there is at least one,
/// every image has a label, and every label names a class.
void check_dataset(const Dataset& dataset, const std::string& where, const std::string& hint = {});

/// The images with the given indices, in that order. Throws kUsage if an index is out of range or none is
/// given.
Dataset select(const Dataset& dataset, std::span<const int64_t> indices);

/// The first `count` images (all of them if there are fewer); count is at least 1.
Dataset take(const Dataset& dataset, int64_t count);

struct DatasetSplit {
  Dataset train;
  Dataset validation;
};

/// Cuts a data set in two disjoint parts that cover it: `validation_count` images chosen by `seed`, and the
/// rest; both keep the original order. Throws kUsage unless 0 < validation_count < N.
DatasetSplit split(const Dataset& dataset, int64_t validation_count, uint64_t seed);

}  // namespace qlimit
