// Images on their way into lines with a border, where the patches of a window need no gathering: each row
// between pixels of the border, and lines of it above and below.
#pragma once

#include <cstddef>

#include "core/kernels/table.h"
#include "core/kernels/vector/vector.h"

namespace qlimit {
namespace {

/// Rows of the image, each vector as `convert` makes it, with `border` before, between and behind them.
template <int kBytes, typename From, typename To, typename Convert>
inline void fill_lines(const BorderedLines<From>& l, To border, To* lines, const Convert& convert) {
  const auto fill = [&](To* begin, To* end) {
    for_each_piece<To, kBytes>(end - begin, [&]<int kPiece>(int64_t at) {
      Vector<To, kPiece>::store(begin + at, Vector<To, kPiece>::broadcast(border));
    });
  };
  To* filled = lines;
  for (int64_t row = 0; row < l.rows; ++row) {
    const From* from = l.image + row * l.image_stride;
    To* to = lines + l.begin + row * l.line_length;
    fill(filled, to);
    for_each_piece<To, kBytes>(l.row_length, [&]<int kPiece>(int64_t at) {
      Vector<To, kPiece>::store(to + at, convert.template operator()<kPiece>(from + at));
    });
    filled = to + l.row_length;
  }
  fill(filled, lines + l.total_length);
}

/// Each x as it is.
template <int kBytes, typename Element>
void plain_lines(const BorderedLines<Element>& l, Element border, Element* lines) {
  fill_lines<kBytes>(l, border, lines,
                     [&]<int kPiece>(const Element* from) { return Vector<Element, kPiece>::load(from); });
}

template <int kBytes>
void float_lines(const BorderedLines<Real>& l, Real* lines) {
  plain_lines<kBytes>(l, Real(0), lines);
}

/// Each x + Dot::kOffset as the Dot::Element that its instructions take (vector/dot_int8.h).
template <int kBytes, typename Dot>
void int8_lines(const BorderedLines<int8_t>& l, int8_t border, std::byte* lines) {
  using Element = typename Dot::Element;
  constexpr int kWiden = sizeof(Element);
  fill_lines<kBytes>(l, static_cast<Element>(border + Dot::kOffset), reinterpret_cast<Element*>(lines),
                     [&]<int kPiece>(const int8_t* from) {
                       using V = Vector<Element, kPiece>;
                       const auto bytes = Vector<int8_t, kPiece / kWiden>::load(from);
                       return __builtin_convertvector(bytes, typename V::Type) + V::broadcast(Dot::kOffset);
                     });
}

}  // namespace
}  // namespace qlimit
