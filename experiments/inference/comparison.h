// Our tensors beside those of another run or another engine: equal in every bit, or where they first differ.
//
//   ComparisonResult result = compare_layers(tensors.layers, "theirs");
//   if (!result.equal()) std::cout << result.verdict();
//   // 3 of 12 tensors differ, first 04_conv2d_2: 17 of 16,384 elements (17 bytes), [0,3,5,2] first; by 1 at most
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "experiments/inference/tensors.h"

namespace qlimit {

/// One tensor and its counterpart.
struct TensorComparison {
  std::string name = {};     // "04_conv2d_2"
  std::string problem = {};  // why nothing could be compared: it is not there, or of another shape or type
  int64_t elements = 0;
  int64_t differing = 0;        // elements
  int64_t differing_bytes = 0;  // of these
  double largest = 0;           // difference; NaN if one side is not a number
  std::string first = {};       // place of the first one, "[0,3,5,2]"

  bool equal() const { return problem.empty() && differing == 0; }
};

struct ComparisonResult {
  std::vector<TensorComparison> tensors;

  bool equal() const;
  /// The first tensor that is not equal; null if all are.
  const TensorComparison* first_difference() const;
  /// One line.
  std::string verdict() const;
  /// The tensors as a table.
  std::string table() const;
};

/// Elements differ unless their bits are equal, or they are numbers no further apart than `tolerance`.
TensorComparison compare_tensors(const std::string& name, const NpyArray& ours, const NpyArray& theirs,
                                 double tolerance = 0);

/// The output against a .npy. Throws what reading throws.
ComparisonResult compare_output(const NpyArray& output, const std::filesystem::path& file,
                                double tolerance = 0);

/// Each tensor against the file in the folder whose name begins with its number, "04_": names differ between
/// engines. One that is not there is a difference, so that nothing passes unseen. Throws kData if the folder
/// has two files for a number, or none at all; kIo if it cannot be read.
ComparisonResult compare_layers(const std::vector<LayerTensor>& layers, const std::filesystem::path& folder,
                                double tolerance = 0);

}  // namespace qlimit
