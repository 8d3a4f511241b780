#include "core/random.h"

#include <cmath>
#include <numbers>

namespace qlimit {
namespace {

// A 64-bit finalizer (the mixing step of SplitMix64; Steele, Lea, Flood, OOPSLA 2014): turns seeds, purposes
// and indices into keys that share no pattern.
uint64_t mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

uint64_t hash(std::string_view text) {  // FNV-1a
  uint64_t h = 0xCBF29CE484222325u;
  for (unsigned char c : text) h = (h ^ c) * 0x100000001B3u;
  return h;
}

}  // namespace

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53u} * counter[0];
    const uint64_t p1 = uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(p1),
               static_cast<uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(p0)};
    key = {key[0] + 0x9E3779B9u, key[1] + 0xBB67AE85u};
  }
  return counter;
}

Random::Random(uint64_t seed, std::string_view purpose) : key_(mix(mix(seed) ^ hash(purpose))) {}

Random Random::split(uint64_t index) const { return Random(State{mix(key_ ^ mix(index)), 0}); }

uint32_t Random::next() {
  const uint64_t wanted = position_ / 4;
  if (wanted != block_index_) {
    block_ = philox({static_cast<uint32_t>(wanted), static_cast<uint32_t>(wanted >> 32), 0, 0},
                    {static_cast<uint32_t>(key_), static_cast<uint32_t>(key_ >> 32)});
    block_index_ = wanted;
  }
  return block_[position_++ % 4];
}

double Random::uniform() {
  const uint64_t high = next(), low = next();
  return static_cast<double>((high << 21) ^ (low >> 11)) * 0x1p-53;
}

uint32_t Random::below(uint32_t bound) {
  // The product of a random word with the bound has the answer in its upper half; the lower half tells when
  // the 2^32 mod bound surplus words would favour some answers (Lemire, "Fast random integer generation",
  // 2019).
  uint64_t product = uint64_t{next()} * bound;
  while (static_cast<uint32_t>(product) < (0u - bound) % bound) product = uint64_t{next()} * bound;
  return static_cast<uint32_t>(product >> 32);
}

double Random::normal() {
  const double u = 1.0 - uniform();  // in (0,1]: its logarithm is finite
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * uniform());
}

}  // namespace qlimit
