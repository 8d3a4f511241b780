// What a model consists of, as a table: the operations in the order of computation, with their output shape,
// parameters and multiply-adds for one image.
//
//   std::cout << summarize(model, {1, 28, 28, 1}).to_string();
//
//   operation             output       parameters   multiply-adds
//   -------------------------------------------------------------
//   input                 [-,28,28,1]           0               0
//   conv2d_1              [-,28,28,8]          72          56,448
//   ...
//
// It is read off the tape of one run, so it shows what the model does, not what someone wrote down about it.
#pragma once

#include <string>
#include <vector>

#include "layers/layer.h"

namespace qlimit {

struct SummaryRow {
  std::string name;           // the operation and its count, "conv2d_1"; "input" for the first row
  Shape output;               // with a batch of 1
  int64_t parameters = 0;     // trained numbers; those that an earlier row has counted are left out
  int64_t multiply_adds = 0;  // for one image
};

struct Summary {
  std::vector<SummaryRow> rows;
  int64_t parameters = 0;     // of the whole model
  int64_t multiply_adds = 0;  // for one image

  /// The table, with totals; the batch dimension is shown as "-".
  std::string to_string() const;
};

/// Runs `model` once in evaluation on an image of zeros, input: [1,H,W,C] (or [1,I]). Throws kUsage if the
/// batch is not 1 or the tape is off.
Summary summarize(Layer& model, const Shape& input);

}  // namespace qlimit
