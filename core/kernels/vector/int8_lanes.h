// The integer instructions that the compiler's vector notation has no word for, one struct for each vector
// length.
//
// pmaddwd multiplies 16-bit lanes and adds neighbouring products into 32-bit lanes: two exact multiply-adds a
// lane. The widening multiplications of requantization work on every second 32-bit lane, so the odd lanes are
// shifted into place, and both halves are blended. NEON has instructions for both steps of requantization.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace qlimit {
namespace {

#if defined(__AVX512BW__)
struct Lanes512 {
  using Type = __m512i;
  static constexpr int64_t kLanes = 16;

  static Type load(const void* p) { return _mm512_loadu_si512(p); }
  static void store(int32_t* p, Type v) { _mm512_storeu_si512(p, v); }
  static Type zero() { return _mm512_setzero_si512(); }
  static Type broadcast(int32_t x) { return _mm512_set1_epi32(x); }
  static Type multiply_add_pairs(Type sum, Type a, Type b) {
#if defined(__AVX512VNNI__)
    return _mm512_dpwssd_epi32(sum, a, b);
#else
    return _mm512_add_epi32(sum, _mm512_madd_epi16(a, b));
#endif
  }

  static Type add(Type a, Type b) { return _mm512_add_epi32(a, b); }
  template <int kCount>
  static Type shift_left_by(Type x) {
    return _mm512_slli_epi32(x, kCount);
  }
  /// saturating_rounding_doubling_high_mul for b >= 0.
  static Type high_mul(Type a, Type b) {
    const Type half = _mm512_set1_epi64(int64_t{1} << 30);
    const Type even = _mm512_add_epi64(_mm512_mul_epi32(a, b), half);
    const Type odd =
        _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(a, 32), _mm512_srli_epi64(b, 32)), half);
    return _mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(even, 31), _mm512_slli_epi64(odd, 1));
  }
  static Type shift_right(Type x, Type count) { return _mm512_srav_epi32(x, count); }
  static Type shift_left(Type x, Type count) { return _mm512_sllv_epi32(x, count); }
  /// x + 1 in the lanes where a > b.
  static Type increment_where_greater(Type x, Type a, Type b) {
    return _mm512_mask_add_epi32(x, _mm512_cmpgt_epi32_mask(a, b), x, _mm512_set1_epi32(1));
  }
  static Type max(Type a, Type b) { return _mm512_max_epi32(a, b); }
  static Type clamp(Type x, Type low, Type high) { return _mm512_min_epi32(_mm512_max_epi32(x, low), high); }
  static Type bit_and(Type a, Type b) { return _mm512_and_si512(a, b); }
  static Type sign(Type x) { return _mm512_srli_epi32(x, 31); }
  static Type load_bytes(const int8_t* p) {
    return _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static void store_bytes(int8_t* p, Type v) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(v));
  }
};
#endif

#if defined(__AVX2__)
struct Lanes256 {
  using Type = __m256i;
  static constexpr int64_t kLanes = 8;

  static Type load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
  static void store(int32_t* p, Type v) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }
  static Type zero() { return _mm256_setzero_si256(); }
  static Type broadcast(int32_t x) { return _mm256_set1_epi32(x); }
  static Type multiply_add_pairs(Type sum, Type a, Type b) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
  }

  static Type add(Type a, Type b) { return _mm256_add_epi32(a, b); }
  template <int kCount>
  static Type shift_left_by(Type x) {
    return _mm256_slli_epi32(x, kCount);
  }
  static Type high_mul(Type a, Type b) {
    const Type half = _mm256_set1_epi64x(int64_t{1} << 30);
    const Type even = _mm256_add_epi64(_mm256_mul_epi32(a, b), half);
    const Type odd =
        _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32)), half);
    return _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xAA);
  }
  static Type shift_right(Type x, Type count) { return _mm256_srav_epi32(x, count); }
  static Type shift_left(Type x, Type count) { return _mm256_sllv_epi32(x, count); }
  static Type increment_where_greater(Type x, Type a, Type b) {
    return _mm256_sub_epi32(x, _mm256_cmpgt_epi32(a, b));
  }
  static Type max(Type a, Type b) { return _mm256_max_epi32(a, b); }
  static Type clamp(Type x, Type low, Type high) { return _mm256_min_epi32(_mm256_max_epi32(x, low), high); }
  static Type bit_and(Type a, Type b) { return _mm256_and_si256(a, b); }
  static Type sign(Type x) { return _mm256_srli_epi32(x, 31); }
  static Type load_bytes(const int8_t* p) {
    return _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
  }
  static void store_bytes(int8_t* p, Type v) {
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi16(words, words));
  }
};
#endif

#if defined(__aarch64__)
struct Lanes128 {
  using Type = int32x4_t;
  static constexpr int64_t kLanes = 4;

  static Type load(const void* p) { return vld1q_s32(static_cast<const int32_t*>(p)); }
  static void store(int32_t* p, Type v) { vst1q_s32(p, v); }
  static Type zero() { return vdupq_n_s32(0); }
  static Type broadcast(int32_t x) { return vdupq_n_s32(x); }
  /// Products of the lower 16 bits of each lane.
  static Type multiply_add_low(Type sum, Type a, Type b) {
    return vmlal_s16(sum, vmovn_s32(a), vmovn_s32(b));
  }

  static Type add(Type a, Type b) { return vaddq_s32(a, b); }
  static Type bit_and(Type a, Type b) { return vandq_s32(a, b); }
  template <int kCount>
  static Type shift_left_by(Type x) {
    return vshlq_n_s32(x, kCount);
  }
  static Type shift_left(Type x, Type count) { return vshlq_s32(x, count); }
  static Type shift_right(Type x, Type count) { return vshlq_s32(x, vnegq_s32(count)); }
  /// SQRDMULH is floor((2ab + 2^31) / 2^32) = floor((ab + 2^30) / 2^31), the definition; it saturates only
  /// (-2^31)^2, as the definition does.
  static Type high_mul(Type a, Type b) { return vqrdmulhq_s32(a, b); }
  /// SRSHL rounds ties upwards. Negative numbers are therefore made smaller by 1 first: their ties then lie
  /// below the half, and nothing else crosses one, since there is no whole number between. (-2^31, which
  /// saturates, is a multiple of every 2^shift. A shift of 0 has no ties: its sign bit leaves x as it is.)
  static Type rounding_divide(Type x, Type shift) {
    const Type left = vnegq_s32(shift);
    return vrshlq_s32(vqaddq_s32(x, vshrq_n_s32(vandq_s32(x, left), 31)), left);
  }
  static Type max(Type a, Type b) { return vmaxq_s32(a, b); }
  static Type clamp(Type x, Type low, Type high) { return vminq_s32(vmaxq_s32(x, low), high); }
  static Type load_bytes(const int8_t* p) {
    int32_t four;
    std::memcpy(&four, p, sizeof four);
    return vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(four)))));
  }
  static void store_bytes(int8_t* p, Type v) {
    const int16x8_t words = vcombine_s16(vmovn_s32(v), vdup_n_s16(0));
    const int32_t four = vget_lane_s32(vreinterpret_s32_s8(vmovn_s16(words)), 0);
    std::memcpy(p, &four, sizeof four);
  }
};
#else
// Four lanes in plain C++, for every processor: the compiler finds the 128-bit instructions for most of it.
struct Lanes128 {
  typedef int32_t Type __attribute__((vector_size(16)));
  typedef uint32_t Unsigned __attribute__((vector_size(16)));
  static constexpr int64_t kLanes = 4;

  static Type load(const void* p) {
    Type v;
    std::memcpy(&v, p, sizeof v);
    return v;
  }
  static void store(int32_t* p, Type v) { std::memcpy(p, &v, sizeof v); }
  static Type zero() { return Type{}; }
  static Type broadcast(int32_t x) { return Type{x, x, x, x}; }
  static Type multiply_add_pairs(Type sum, Type a, Type b) {
#if defined(__SSE2__)
    return sum + reinterpret_cast<Type>(_mm_madd_epi16(reinterpret_cast<const __m128i&>(a),
                                                       reinterpret_cast<const __m128i&>(b)));
#else
    const Type low = ((a << 16) >> 16) * ((b << 16) >> 16);
    return sum + low + (a >> 16) * (b >> 16);
#endif
  }

  /// Wraps, as the instructions do: 2^31 - 1 is made of the shifted 1, which is -2^31 in these lanes.
  static Type add(Type a, Type b) {
    return reinterpret_cast<Type>(reinterpret_cast<Unsigned>(a) + reinterpret_cast<Unsigned>(b));
  }
  template <int kCount>
  static Type shift_left_by(Type x) {
    return x << kCount;
  }
  static Type high_mul(Type a, Type b) {
    Type product;
    for (int i = 0; i < 4; ++i) {
      product[i] = static_cast<int32_t>((int64_t{a[i]} * b[i] + (int64_t{1} << 30)) >> 31);
    }
    return product;
  }
  static Type shift_right(Type x, Type count) { return x >> count; }
  static Type shift_left(Type x, Type count) { return x << count; }
  static Type increment_where_greater(Type x, Type a, Type b) { return x - (a > b); }
  static Type max(Type a, Type b) { return a > b ? a : b; }
  static Type clamp(Type x, Type low, Type high) {
    const Type above = x > low ? x : low;
    return above < high ? above : high;
  }
  static Type bit_and(Type a, Type b) { return a & b; }
  static Type sign(Type x) { return (x < 0) & 1; }
  static Type load_bytes(const int8_t* p) {
#if defined(__SSE2__)
    int32_t four;
    std::memcpy(&four, p, sizeof four);
    // Each byte four times in its lane, of which the highest stays.
    const __m128i twice = _mm_unpacklo_epi8(_mm_cvtsi32_si128(four), _mm_cvtsi32_si128(four));
    return reinterpret_cast<Type>(_mm_srai_epi32(_mm_unpacklo_epi16(twice, twice), 24));
#else
    return Type{p[0], p[1], p[2], p[3]};
#endif
  }
  static void store_bytes(int8_t* p, Type v) {
    for (int i = 0; i < 4; ++i) p[i] = static_cast<int8_t>(v[i]);
  }
};
#endif

#if defined(__AVX512BW__)
using WideLanes = Lanes512;
using HalfLanes = Lanes256;
#elif defined(__AVX2__)
using WideLanes = Lanes256;
using HalfLanes = Lanes128;
#else
using WideLanes = Lanes128;
using HalfLanes = Lanes128;
#endif

/// sum + a * b for a and b that fit 16 bits; the upper halves of b's lanes are 0, whatever its sign.
template <typename L>
inline typename L::Type multiply_add_words(typename L::Type sum, typename L::Type a, typename L::Type b) {
  if constexpr (requires { L::multiply_add_low(sum, a, b); }) {
    return L::multiply_add_low(sum, a, b);
  } else {
    return L::multiply_add_pairs(sum, a, b);
  }
}

}  // namespace
}  // namespace qlimit
