// Convolution as a matrix product: patches of the image become rows of a matrix.
//
// image: [H,W,C]. Row oy*OW + ox of the matrix [OH*OW, KH*KW*C] holds what the window covers at place
// (oy,ox), zeros outside the image. A product with the filters [O, KH*KW*C], transposed, gives the output
// [OH*OW, O]: NHWC again. (Chellapilla, Puri, Simard, "High performance convolutional neural networks for
// document processing", 2006.)
#pragma once

#include "core/kernels/table.h"

namespace qlimit {

/// The rows of output lines [row_begin, row_end) of one image; `columns` has room for (row_end-row_begin)*OW
/// rows.
void im2col(const WindowGeometry& g, const Real* image, int64_t row_begin, int64_t row_end, Real* columns);

/// The transposed map: adds each element of the matrix to the image place that it came from. Its gradient is
/// im2col.
void col2im(const WindowGeometry& g, const Real* columns, int64_t row_begin, int64_t row_end, Real* image);

/// The definitions, element by element.
void im2col_reference(const WindowGeometry& g, const Real* image, int64_t row_begin, int64_t row_end,
                      Real* columns);
void col2im_reference(const WindowGeometry& g, const Real* columns, int64_t row_begin, int64_t row_end,
                      Real* image);

}  // namespace qlimit
