#include "quant/program.h"

#include <algorithm>

#include "core/error.h"
#include "core/memory.h"
#include "core/parallel.h"

namespace qlimit {
namespace {

/// More arenas than this would only use memory: it is the number of parts that a batch is cut into.
constexpr int64_t kMaxArenas = 32;

}  // namespace

Workspace::Workspace(int64_t arena_bytes, int64_t arenas)
    : arena_bytes_(arena_bytes),
      arenas_(arenas),
      memory_(allocate_buffer(static_cast<size_t>(arena_bytes * arenas))) {}

template <typename T>
Program<T>::Program(const Graph& graph, std::vector<CompiledNode<T>> compiled) {
  std::vector<int64_t> scratch_bytes;
  for (const CompiledNode<T>& node : compiled) scratch_bytes.push_back(node.scratch_bytes);
  const GraphMemory memory = plan_graph_memory(graph, sizeof(T), scratch_bytes);
  arena_bytes_ = memory.bytes;

  const auto place = [&](ValueId id) {
    return Place{id, memory.value_offsets[static_cast<size_t>(id)], graph.value(id).shape.size()};
  };
  input_ = place(graph.input);
  output_ = place(graph.output);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    const bool has_second = node.inputs.size() > 1 && !graph.value(node.inputs[1]).is_constant();
    steps_.push_back(
        {.run = std::move(compiled[i].run),
         .input_offsets = {place(node.inputs[0]).offset, has_second ? place(node.inputs[1]).offset : -1},
         .scratch_offset = memory.scratch_offsets[i],
         .output = place(node.output)});
  }
}

template <typename T>
Workspace Program<T>::make_workspace(int64_t max_batch) const {
  return Workspace(arena_bytes_, std::clamp<int64_t>(max_batch, 1, kMaxArenas));
}

template <typename T>
void Program<T>::run_image(int64_t image, std::byte* arena, const Probe<T>* probe) const {
  const auto at = [arena](int64_t offset) { return reinterpret_cast<T*>(arena + offset); };
  if (probe) (*probe)(image, input_.value, at(input_.offset));
  for (const Step& step : steps_) {
    if (step.run) {
      step.run({.x = at(step.input_offsets[0]),
                .y = step.input_offsets[1] < 0 ? nullptr : at(step.input_offsets[1]),
                .out = at(step.output.offset),
                .scratch = arena + step.scratch_offset});
    }
    if (probe) (*probe)(image, step.output.value, at(step.output.offset));
  }
}

template <typename T>
void Program<T>::run(int64_t batch, const std::function<void(int64_t, T*)>& load,
                     const std::function<void(int64_t, const T*)>& store, Workspace& workspace,
                     const Probe<T>* probe) const {
  if (workspace.arena_bytes() != arena_bytes_) {
    throw Error(ErrorKind::kUsage, {.what = "the workspace was made for another model",
                                    .expected = concat(arena_bytes_, " bytes"),
                                    .found = concat(workspace.arena_bytes()),
                                    .hint = "use make_workspace of the model that runs"});
  }
  const auto run_images = [&](int64_t part, int64_t begin, int64_t end) {
    std::byte* arena = workspace.arena(part);
    for (int64_t image = begin; image < end; ++image) {
      load(image, reinterpret_cast<T*>(arena + input_.offset));
      run_image(image, arena, probe);
      store(image, reinterpret_cast<const T*>(arena + output_.offset));
    }
  };
  if (batch == 1 || workspace.arenas() == 1) {
    run_images(0, 0, batch);
  } else if (batch > 1) {
    // std::ref: a std::function of this size would ask for memory.
    parallel_chunks(batch, chunk_count(batch, workspace.arenas()), std::ref(run_images));
  }
}

int64_t batch_size(const Graph& graph, const Shape& images) {
  const Shape& input = graph.value(graph.input).shape;
  if (images.rank() != input.rank() || images[0] < 1 || images != with_batch(input, images[0])) {
    throw Error(ErrorKind::kUsage, {.what = "these images do not fit the model",
                                    .expected = concat(input.to_string(), ", any batch"),
                                    .found = images.to_string()});
  }
  return images[0];
}

template class Program<float>;
template class Program<int8_t>;

}  // namespace qlimit
