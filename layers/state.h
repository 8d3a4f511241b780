// The state of a model in an archive: parameters, buffers and random streams, by their names.
//
//   Archive archive;
//   save_state(model, archive);               // entries "model.0.weight", "model.1.running_mean", ...
//   archive.save("model.qla");
//   ...
//   load_state(model, Archive::load("model.qla"));
//
// Loading is all or nothing: the archive must hold exactly the tensors of the model, with their shapes and
// finite values; otherwise an Error (kData) names the first tensor at fault and the model is as it was.
#pragma once

#include <string>
#include <vector>

#include "core/archive.h"
#include "core/random.h"
#include "layers/layer.h"

namespace qlimit {

/// All parameters and buffers, as handles to the model's own storage.
std::vector<Buffer> tensors_of(const Layer& model);

/// Adds all parameters, buffers and random streams of `model` under prefix + name. The tensors share storage
/// with the model, so write the archive before training goes on.
void save_state(const Layer& model, Archive& archive, const std::string& prefix = "model.");

/// The way back; entries outside `prefix` are ignored.
void load_state(Layer& model, const Archive& archive, const std::string& prefix = "model.");

/// A random stream as an entry of two numbers, key and position. load_stream throws kData.
void save_stream(const Random& stream, Archive& archive, const std::string& name);
Random load_stream(const Archive& archive, const std::string& name);

/// For others who keep named tensors (optimizers): checks the entries of `archive` below `prefix` against
/// `targets`, and returns what to put into them, in the same order. Entries named in `others` are allowed
/// besides. Throws kData for a missing, superfluous, wrongly shaped, or not finite tensor.
std::vector<Tensor<Real>> checked_tensors(const std::vector<Buffer>& targets, const Archive& archive,
                                          const std::string& prefix,
                                          const std::vector<std::string>& others = {});

/// For those who also count (steps, updates): the entry prefix + counter, and the tensors. load_counted
/// returns the count and fills the targets, or throws kData and leaves them.
void save_counted(const std::string& counter, int64_t count, const std::vector<Buffer>& tensors,
                  Archive& archive, const std::string& prefix);
int64_t load_counted(const std::string& counter, const std::vector<Buffer>& targets, const Archive& archive,
                     const std::string& prefix);

/// Copies the numbers of sources[i] into targets[i], in place.
void assign_tensors(const std::vector<Tensor<Real>>& sources, const std::vector<Buffer>& targets);

}  // namespace qlimit
