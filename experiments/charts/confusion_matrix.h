// The picture of which class was taken for which.
//
//   write_confusion_matrix("results/mnist_cnn/confusion_matrix.png",
//                          {.title = "mnist_cnn, int8", .class_names = names, .counts = counts});
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "experiments/charts/canvas.h"

namespace qlimit {

struct ConfusionMatrix {
  std::string title = {};
  std::vector<std::string> class_names = {};  // K of them, 1..20
  std::vector<int64_t> counts = {};           // [K,K]: counts[truth * K + prediction]
};

/// The share of class `truth` that was recognized; 0/0 is not a number.
double recall(const ConfusionMatrix& matrix, size_t truth);
/// The share of all images that were recognized.
double accuracy(const ConfusionMatrix& matrix);

/// Draws the counts as a heat map: the row is the truth, the column the prediction, the recall of each class
/// stands at the right. Right answers are blue, mistakes orange, each deepening with its share of the row.
/// Throws kUsage unless there are 1..20 classes and K*K counts, none negative.
Canvas draw_confusion_matrix(const ConfusionMatrix& matrix);

/// Draws and writes the PNG (whole or not at all).
void write_confusion_matrix(const std::filesystem::path& path, const ConfusionMatrix& matrix);

}  // namespace qlimit
