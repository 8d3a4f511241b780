// Which part of a histogram should be kept when it is quantized: the searches behind the observers.
#pragma once

#include "quant/affine.h"
#include "quant/histogram.h"

namespace qlimit {

/// The least range that leaves out, at either end, at most 100 - percentile percent of the numbers; as sharp
/// as a bin.
Range percentile_range(const Histogram& histogram, double percentile);

/// Mean squared error of quantizing the histogram's numbers (bins at their middle) with 2^bits levels over
/// `range`, zero being one of them: rounding inside the range, clipping outside.
double quantization_mse(const Histogram& histogram, Range range, int bits);

/// The range within the histogram's that minimizes quantization_mse: its upper and its lower end in turn,
/// over 256 steps each, twice. Ties go to the wider range.
Range mse_range(const Histogram& histogram, int bits);

/// The range [-t,t], within the histogram's, whose quantized distribution has the least Kullback-Leibler
/// divergence from the histogram clipped at t: TensorRT's method (Migacz, "8-bit inference with TensorRT",
/// GTC 2017). One-sided data use all 2^bits levels for |x|, others half of them.
Range entropy_range(const Histogram& histogram, int bits);

}  // namespace qlimit
