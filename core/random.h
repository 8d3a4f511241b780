// Random numbers that are the same on every machine; those of `normal` may differ in the last digits of the
// double, which are those of the C library's logarithm and cosine.
//
// The generator is Philox4x32-10, counter-based: block number i of a stream is a function of (key, i) alone,
// ten rounds of multiply and exclusive-or (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC
// 2011, section 3.3). Whoever needs numbers takes a stream of his own from (seed, purpose), so that drawing
// more of one kind never shifts another:
//
//   Random shuffle(42, "shuffle");
//   Random weights = Random(42, "weights");
//   Random image = Random(42, "augment").split(epoch).split(index);   // in any order, on any thread
//
// The distributions are our own: those of the standard library differ between implementations.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace qlimit {

/// One Philox4x32-10 block: four random words from a counter and a key.
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

class Random {
 public:
  Random(uint64_t seed, std::string_view purpose);

  /// An independent stream that depends only on this one's key and on `index`, not on how much was drawn.
  Random split(uint64_t index) const;

  uint32_t next();
  /// Uniform in [0,1), 53 random bits.
  double uniform();
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Uniform in 0 ... bound-1, without bias (rejection); bound is at least 1.
  uint32_t below(uint32_t bound);
  /// Standard normal (Box-Muller).
  double normal();

  /// Fisher-Yates over a random-access range.
  template <typename Range>
  void shuffle(Range& range) {
    for (uint32_t i = static_cast<uint32_t>(range.size()); i > 1; --i)
      std::swap(range[i - 1], range[below(i)]);
  }

  /// Key and position, for checkpoints: a stream restored from its state goes on with the same numbers.
  struct State {
    uint64_t key = 0;
    uint64_t position = 0;  // words drawn so far
    bool operator==(const State&) const = default;
  };
  State state() const { return {key_, position_}; }
  explicit Random(const State& state) : key_(state.key), position_(state.position) {}

 private:
  uint64_t key_;
  uint64_t position_ = 0;
  uint64_t block_index_ = ~uint64_t{0};  // which block `block_` holds; none yet
  std::array<uint32_t, 4> block_{};
};

}  // namespace qlimit
