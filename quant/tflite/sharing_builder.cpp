#include "quant/tflite/sharing_builder.h"

#include "core/error.h"

namespace qlimit::tflite {
namespace {

// A flatbuffer's offsets count to 2^31. The rest is left for the structure.
constexpr int64_t kMaxConstantBytes = int64_t{1} << 30;
constexpr size_t kAlignment = 16;  // of constants, in bytes (Buffer.data in schema.fbs)

}  // namespace

SharingBuilder::SharingBuilder() {
  buffers_.push_back(CreateBuffer(flat_));  // number 0, the empty one: "no constant"
}

template <typename T>
OffsetVector<T> SharingBuilder::vector(std::map<std::vector<T>, OffsetVector<T>>& known,
                                       const std::vector<T>& numbers) {
  const auto [entry, is_new] = known.try_emplace(numbers);
  if (is_new) entry->second = flat_.CreateVector(numbers);
  return entry->second;
}

OffsetVector<int32_t> SharingBuilder::ints(const std::vector<int32_t>& numbers) {
  return vector(ints_, numbers);
}

Offset<QuantizationParameters> SharingBuilder::quantization(const std::vector<float>& scales,
                                                            int32_t zero_point, int32_t dimension) {
  const auto [entry, is_new] = quantizations_.try_emplace({scales, zero_point, dimension});
  if (is_new) {
    const auto before = flat_.GetSize();
    const auto scale_vector = vector(scales_, scales);
    const auto zero_point_vector = vector(zero_points_, std::vector<int64_t>(scales.size(), zero_point));
    QuantizationParametersBuilder table(flat_);
    table.add_scale(scale_vector);
    table.add_zero_point(zero_point_vector);
    table.add_quantized_dimension(dimension);
    entry->second = table.Finish();
    ledger_.quantization += static_cast<int64_t>(flat_.GetSize() - before);
  }
  return entry->second;
}

uint32_t SharingBuilder::buffer(const std::string& bytes, int64_t TfliteLedger::*purpose) {
  const auto [entry, is_new] = buffer_numbers_.try_emplace(bytes, static_cast<uint32_t>(buffers_.size()));
  if (is_new) {
    ledger_.*purpose += static_cast<int64_t>(bytes.size());
    if (ledger_.weights + ledger_.biases > kMaxConstantBytes) {
      throw Error(ErrorKind::kUnsupported, {.what = "the constants are too large for a .tflite file",
                                            .expected = concat("at most ", kMaxConstantBytes, " bytes")});
    }
    flat_.ForceVectorAlignment(bytes.size(), 1, kAlignment);
    const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
    buffers_.push_back(CreateBuffer(flat_, flat_.CreateVector(data, bytes.size())));
  }
  return entry->second;
}

TfliteFile SharingBuilder::finish(const std::vector<Offset<OperatorCode>>& codes, Offset<SubGraph> graph) {
  constexpr uint32_t kSchemaVersion = 3;
  const auto code_vector = flat_.CreateVector(codes);
  const auto graph_vector = flat_.CreateVector(std::vector{graph});
  const auto buffer_vector = flat_.CreateVector(buffers_);
  ModelBuilder model(flat_);
  model.add_version(kSchemaVersion);
  model.add_operator_codes(code_vector);
  model.add_subgraphs(graph_vector);
  model.add_buffers(buffer_vector);
  FinishModelBuffer(flat_, model.Finish());

  TfliteFile file;
  file.bytes.assign(reinterpret_cast<const char*>(flat_.GetBufferPointer()), flat_.GetSize());
  file.ledger = ledger_;
  file.ledger.structure = 0;
  file.ledger.structure = static_cast<int64_t>(file.bytes.size()) - file.ledger.total();
  return file;
}

}  // namespace qlimit::tflite
