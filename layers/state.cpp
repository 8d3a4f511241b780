#include "layers/state.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>

#include "core/error.h"

namespace qlimit {
namespace {

[[noreturn]] void refuse(const std::string& what, const Archive& archive, const std::string& expected,
                         const std::string& found) {
  throw Error(ErrorKind::kData,
              {.what = what, .where = archive.where(), .expected = expected, .found = found});
}

void check_tensor(const std::string& name, const Tensor<Real>& tensor, const Shape& wanted,
                  const Archive& archive) {
  if (tensor.shape() != wanted) {
    refuse(concat("tensor ", name, " has another shape than in the model"), archive, wanted.to_string(),
           tensor.shape().to_string());
  }
  const auto bad = std::find_if(tensor.begin(), tensor.end(), [](Real x) { return !std::isfinite(x); });
  if (bad != tensor.end()) {
    refuse(concat("tensor ", name, " is not finite"), archive, "",
           concat(*bad, " at element ", bad - tensor.begin()));
  }
}

}  // namespace

std::vector<Buffer> tensors_of(const Layer& model) {
  std::vector<Buffer> all;
  for (const Parameter& parameter : model.parameters())
    all.push_back({parameter.name, parameter.variable.value()});
  for (const Buffer& buffer : model.buffers()) all.push_back(buffer);
  return all;
}

std::vector<Tensor<Real>> checked_tensors(const std::vector<Buffer>& targets, const Archive& archive,
                                          const std::string& prefix, const std::vector<std::string>& others) {
  std::vector<Tensor<Real>> sources;
  std::set<std::string> known(others.begin(), others.end());
  for (const Buffer& target : targets) {
    const std::string name = prefix + target.name;
    sources.push_back(archive.tensor<Real>(name));
    check_tensor(name, sources.back(), target.tensor.shape(), archive);
    known.insert(name);
  }
  for (const Archive::Entry& entry : archive.entries()) {
    if (entry.name.starts_with(prefix) && !known.contains(entry.name)) {
      refuse("an archive holds a tensor that the model has not", archive, "", entry.name);
    }
  }
  return sources;
}

void assign_tensors(const std::vector<Tensor<Real>>& sources, const std::vector<Buffer>& targets) {
  for (size_t i = 0; i < targets.size(); ++i) {
    Tensor<Real> target = targets[i].tensor;
    std::copy(sources[i].begin(), sources[i].end(), target.begin());
  }
}

void save_counted(const std::string& counter, int64_t count, const std::vector<Buffer>& tensors,
                  Archive& archive, const std::string& prefix) {
  archive.add(prefix + counter, count);
  for (const Buffer& held : tensors) archive.add(prefix + held.name, held.tensor);
}

int64_t load_counted(const std::string& counter, const std::vector<Buffer>& targets, const Archive& archive,
                     const std::string& prefix) {
  const std::string name = prefix + counter;
  const int64_t count = archive.number(name);
  if (count < 0) refuse(concat("entry ", name, " is negative"), archive, "", concat(count));
  assign_tensors(checked_tensors(targets, archive, prefix, {name}), targets);
  return count;
}

void save_stream(const Random& stream, Archive& archive, const std::string& name) {
  const Random::State state = stream.state();
  const std::vector<int64_t> numbers = {std::bit_cast<int64_t>(state.key),
                                        std::bit_cast<int64_t>(state.position)};
  archive.add(name, Tensor<int64_t>({2}, numbers));
}

Random load_stream(const Archive& archive, const std::string& name) {
  const Tensor<int64_t>& numbers = archive.tensor<int64_t>(name);
  if (numbers.shape() != Shape({2})) {
    refuse(concat("entry ", name, " is not the state of a random stream"), archive, "[2]",
           numbers.shape().to_string());
  }
  return Random(Random::State{std::bit_cast<uint64_t>(numbers[0]), std::bit_cast<uint64_t>(numbers[1])});
}

void save_state(const Layer& model, Archive& archive, const std::string& prefix) {
  for (const Buffer& held : tensors_of(model)) archive.add(prefix + held.name, held.tensor);
  for (const RandomStream& held : model.random_streams())
    save_stream(*held.stream, archive, prefix + held.name);
}

void load_state(Layer& model, const Archive& archive, const std::string& prefix) {
  const std::vector<Buffer> targets = tensors_of(model);
  const std::vector<RandomStream> streams = model.random_streams();
  std::vector<Random> loaded;
  std::vector<std::string> stream_names;
  for (const RandomStream& stream : streams) {
    stream_names.push_back(prefix + stream.name);
    loaded.push_back(load_stream(archive, stream_names.back()));
  }
  assign_tensors(checked_tensors(targets, archive, prefix, stream_names), targets);
  for (size_t i = 0; i < streams.size(); ++i) *streams[i].stream = loaded[i];
}

}  // namespace qlimit
