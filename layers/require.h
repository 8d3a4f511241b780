// The check that every operation starts with: is the input's shape one that it can work on?
//
//   require_shape(x.rank() == 2, "dense", "[N,I]", x.shape());
//   -> wrong shape: dense: expected [N,I], found [32,4,4,8]
#pragma once

#include <string>

#include "core/error.h"
#include "core/shape.h"
#include "core/window.h"

namespace qlimit {

/// Throws kUsage, naming the operation and both shapes, unless `holds`.
inline void require_shape(bool holds, const char* operation, const std::string& expected,
                          const Shape& found) {
  if (holds) return;
  throw Error(ErrorKind::kUsage,
              {.what = "wrong shape", .where = operation, .expected = expected, .found = found.to_string()});
}

/// Throws kUnsupported, naming the operation, unless `holds`: the window's taps lie so far apart that the
/// lines they cover would not fit into memory.
inline void require_near_window(bool holds, const char* operation, const Window& window, const Shape& image) {
  if (holds) return;
  throw Error(ErrorKind::kUnsupported, {.what = "the window reaches too far beyond the image",
                                        .where = operation,
                                        .found = concat("dilation ", window.dilation_h, "x",
                                                        window.dilation_w, " on ", image.to_string())});
}

}  // namespace qlimit
