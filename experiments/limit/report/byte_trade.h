// Fewer bits or fewer parameters? For the bytes of a net with narrow weights one can also have a smaller net
// with 8-bit weights. The sizes of the study are few, so the accuracy of "the 8-bit net of the same bytes" is
// read off between its two neighbours, linearly in the logarithm of the bytes, for each seed by itself.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiments/limit/report/summary.h"

namespace qlimit {

/// A value at some bytes.
struct AtBytes {
  double bytes = 0;  // positive
  double value = 0;
};

/// The value at `bytes`, linear in their logarithm between neighbours of `curve`, which rises in bytes.
/// Nothing outside of the curve: it is not continued.
std::optional<double> interpolate(const std::vector<AtBytes>& curve, double bytes);

/// The sizes of the study's question, in parameters: 10,000 in 8 bits, or 20,000 in 4?
inline constexpr double kSmallNet = 10'000, kLargeNet = 20'000;

/// A net with narrow weights beside the 8-bit nets of its shape.
struct ByteTrade {
  NetSize net;
  double bytes = 0;                    // of the narrow net
  double parameters_of_8_bits = 0;     // of an 8-bit net of these bytes, interpolated
  BySeed narrow = {}, in_8_bits = {};  // accuracies, in percent
  BySeed gain = {};                    // narrow less in_8_bits, paired
};

/// The nets of a shape that have 8-bit neighbours on both sides, by `method` at `bits`, against `min_max` in
/// 8 bits.
std::vector<ByteTrade> byte_trades(const StudySummary& summary, const std::string& shape,
                                   const std::string& method, const BitWidths& bits);

/// The method, other than `min_max`, with the highest mean accuracy at these widths over all nets of the
/// shape and all seeds, among those measured on all of them; empty if there is none. It is chosen by the test
/// images, so its lead is flattered a little.
std::string best_remedy(const StudySummary& summary, const std::string& shape, const BitWidths& bits);

/// The net of a shape whose number of parameters is nearest by ratio. Throws kUsage if the shape has no nets.
NetSize nearest_net(const StudySummary& summary, const std::string& shape, double parameters);

}  // namespace qlimit
