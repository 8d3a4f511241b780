// A flatbuffer in which equal parts are stored once, and which knows what its bytes are spent on.
//
// Tables of a flatbuffer refer to each other by offsets, and nothing forbids two of them to refer to the same
// part. Small networks repeat themselves: shapes, zero points, the options of equal layers. For a network of
// 10,000 parameters that is a tenth of the file.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "quant/tflite/schema_generated.h"
#include "quant/tflite/write.h"

namespace qlimit::tflite {

template <typename T>
using Offset = flatbuffers::Offset<T>;
template <typename T>
using OffsetVector = flatbuffers::Offset<flatbuffers::Vector<T>>;

class SharingBuilder {
 public:
  SharingBuilder();

  /// A shape, or the numbers of an operator's tensors.
  OffsetVector<int32_t> ints(const std::vector<int32_t>& numbers);

  /// One scale, or one for each index along `dimension`; as many zero points, all alike.
  Offset<QuantizationParameters> quantization(const std::vector<float>& scales, int32_t zero_point,
                                              int32_t dimension);

  /// The number of a buffer with these bytes. `purpose` is the entry of the ledger that pays for them.
  uint32_t buffer(const std::string& bytes, int64_t TfliteLedger::*purpose);

  /// A table made of scalars alone: `create` writes it into a builder.
  template <typename Create>
  Offset<void> options(const Create& create) {
    // Two tables are equal if files that hold nothing else are.
    flatbuffers::FlatBufferBuilder alone;
    alone.Finish(create(alone));
    const std::string key(reinterpret_cast<const char*>(alone.GetBufferPointer()), alone.GetSize());
    const auto [entry, is_new] = options_.try_emplace(key);
    if (is_new) entry->second = create(flat_).Union();
    return entry->second;
  }

  /// For everything that is written once.
  flatbuffers::FlatBufferBuilder& flat() { return flat_; }

  /// Ends the file with its root.
  TfliteFile finish(const std::vector<Offset<OperatorCode>>& codes, Offset<SubGraph> graph);

 private:
  template <typename T>
  OffsetVector<T> vector(std::map<std::vector<T>, OffsetVector<T>>& known, const std::vector<T>& numbers);

  flatbuffers::FlatBufferBuilder flat_;
  TfliteLedger ledger_;
  std::vector<Offset<Buffer>> buffers_;
  std::map<std::string, uint32_t> buffer_numbers_;
  std::map<std::vector<int32_t>, OffsetVector<int32_t>> ints_;
  std::map<std::vector<int64_t>, OffsetVector<int64_t>> zero_points_;
  std::map<std::vector<float>, OffsetVector<float>> scales_;
  std::map<std::tuple<std::vector<float>, int32_t, int32_t>, Offset<QuantizationParameters>> quantizations_;
  std::map<std::string, Offset<void>> options_;
};

}  // namespace qlimit::tflite
