// Where the data sets lie on this machine.
//
// The first of these that is given is the data folder; data/fetch fills the same one:
//   1. the option --data                        3. $XDG_CACHE_HOME/qlimit
//   2. the environment variable QLIMIT_DATA     4. ~/.cache/qlimit
// It holds mnist/, fashion_mnist/ and cifar-10-batches-bin/. The word "tiny" stands for the subset of MNIST
// that comes with the source (data/tiny); a folder of that name is ./tiny. Results call the subset
// mnist_tiny.
//
//   DatasetPair cifar = load_dataset("cifar10", options.data);
#pragma once

#include <filesystem>
#include <string>

#include "data/dataset.h"

namespace qlimit {

/// The data folder by the rule above; `option` is what --data said, or empty. Throws kUsage if none is given
/// and there is no home folder either.
std::filesystem::path data_folder(const std::string& option = {});

/// Reads "mnist", "fashion_mnist" or "cifar10" from its subfolder of data_folder(option), or from that folder
/// itself if the files lie there. Throws kIo, with the command that fetches them, if they are in neither;
/// kUsage for another name; and what the reader throws.
DatasetPair load_dataset(const std::string& name, const std::string& option = {});

}  // namespace qlimit
