#include "experiments/champion/teacher.h"

#include <fmt/format.h>

#include "core/checksum.h"
#include "core/file.h"
#include "experiments/quantization.h"
#include "quant/tflite/read.h"

namespace qlimit {
namespace {

constexpr uint64_t kMostBytes = uint64_t{1} << 28;

}  // namespace

Teacher read_teacher(const std::filesystem::path& file) {
  const std::vector<uint8_t> bytes = read_file(file, kMostBytes);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto model = std::make_shared<const QuantizedModel>(read_tflite(text, file.string()));
  return {.engine = make_engine("teacher", model), .checksum = fmt::format("{:08x}", crc32(bytes))};
}

TrainingHooks taught_by(const Teacher& teacher, const DistillationOptions& options) {
  return {.loss =
              [engine = teacher.engine, options](const Variable& logits, const Batch& batch) {
                return distillation(logits, engine.run(batch.images), batch.labels, options);
              },
          .settings = {{"checksum of the teacher", teacher.checksum},
                       {"temperature", fmt::format("{}", options.temperature)},
                       {"teacher's share", fmt::format("{}", options.teacher_share)}}};
}

}  // namespace qlimit
