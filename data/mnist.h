// MNIST (handwritten digits; LeCun, Cortes, Burges) and Fashion-MNIST (clothes, same format; Xiao, Rasul,
// Vollgraf, arXiv:1708.07747): 60,000 training and 10,000 test images of 28x28 grey pixels, in four IDX
// files.
#pragma once

#include <filesystem>

#include "data/dataset.h"

namespace qlimit {

/// Reads {train,t10k}-images-idx3-ubyte and {train,t10k}-labels-idx1-ubyte, plain or with .gz, from `folder`.
/// Any number of images will do (data/tiny has 1,000 and 200). Throws kIo for a file that cannot be read,
/// kData for one that is not what it should be.
DatasetPair load_mnist(const std::filesystem::path& folder);
DatasetPair load_fashion_mnist(const std::filesystem::path& folder);

}  // namespace qlimit
