// A vector of kBytes bytes of T, in the compiler's own notation: + - * work lane by lane, and become the
// widest instructions that the file's compiler options allow.
//
// Everything in this folder stands in an unnamed namespace: each source that includes it compiles its own
// copy for its own instruction set, and the linker cannot mix them up.
#pragma once

#include <cstdint>
#include <type_traits>

namespace qlimit {
namespace {

/// Vector registers of the instruction set that this copy is compiled for: they decide how large a tile may
/// be.
#if defined(__AVX512F__) || defined(__aarch64__)
inline constexpr int kVectorRegisters = 32;
#else
inline constexpr int kVectorRegisters = 16;
#endif

template <typename T, int kBytes>
struct Vector {
  typedef T Type __attribute__((vector_size(kBytes)));
  static constexpr int64_t kLanes = kBytes / static_cast<int64_t>(sizeof(T));

  static Type load(const T* from) {
    Type v;
    __builtin_memcpy(&v, from, kBytes);
    return v;
  }
  static void store(T* to, Type v) { __builtin_memcpy(to, &v, kBytes); }
  /// All lanes equal to x (x - 0 is x itself, even for -0, so this is one broadcast).
  static Type broadcast(T x) { return x - Type{}; }
  static Type max(Type a, Type b) { return a > b ? a : b; }
  static Type min(Type a, Type b) { return a < b ? a : b; }
};

/// Calls body.operator()<bytes>(i) for pieces of [0,count): whole vectors, then one of half the length, then
/// single elements (a vector of one lane), so that a body written once serves any count.
template <typename T, int kBytes, typename Body>
inline void for_each_piece(int64_t count, const Body& body) {
  constexpr int64_t kLanes = Vector<T, kBytes>::kLanes;
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) body.template operator()<kBytes>(i);
  if constexpr (kLanes >= 4) {
    for (; i + kLanes / 2 <= count; i += kLanes / 2) body.template operator()<kBytes / 2>(i);
  }
  for (; i < count; ++i) body.template operator()<static_cast<int>(sizeof(T))>(i);
}

/// Sums of a tile, set to zero one after the other. (GCC makes a string instruction, `rep stos`, of the
/// initializer `= {}` of an array of vectors, which takes as long as all products of a small tile.)
template <typename Sum, int kCount>
inline void clear(Sum (&sums)[kCount]) {
#pragma GCC unroll 32
  for (int i = 0; i < kCount; ++i) {
    if constexpr (std::is_array_v<Sum>) {
      clear(sums[i]);
    } else {
      sums[i] = Sum{};
    }
  }
}

inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

}  // namespace
}  // namespace qlimit
