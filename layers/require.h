// The check that every operation starts with: is the input's shape one that it can work on?
//
//   require_shape(x.rank() == 2, "dense", "[N,I]", x.shape());
//   -> wrong shape: dense: expected [N,I], found [32,4,4,8]
#pragma once

#include <cstdint>
#include <string>
#include <vector>

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

/// For losses: throws kUsage unless there is a row of logits [N,K] for each label, kData for a label that is
/// no class.
inline void require_labels(const char* operation, const Shape& logits, const std::vector<uint8_t>& labels) {
  require_shape(logits.rank() == 2 && logits.size() > 0, operation, "[N,K]", logits);
  if (static_cast<int64_t>(labels.size()) != logits[0]) {
    throw Error(ErrorKind::kUsage, {.what = "wrong number of labels",
                                    .where = operation,
                                    .expected = concat(logits[0], ", one for each row of logits"),
                                    .found = concat(labels.size())});
  }
  for (const uint8_t label : labels) {
    if (label < logits[1]) continue;
    throw Error(ErrorKind::kData, {.what = "a label is no class of the model",
                                   .where = operation,
                                   .expected = concat("below ", logits[1]),
                                   .found = concat(int{label})});
  }
}

/// Throws kUnsupported, naming the operation, unless `holds`: the window is so large or so dilated that
/// the lines it covers would not fit into memory.
inline void require_near_window(bool holds, const char* operation, const Window& window, const Shape& image) {
  if (holds) return;
  throw Error(ErrorKind::kUnsupported,
              {.what = "the window reaches too far beyond the image",
               .where = operation,
               .found = concat(window.kernel_h, "x", window.kernel_w, " dilated ", window.dilation_h, "x",
                               window.dilation_w, ", on ", image.to_string())});
}

}  // namespace qlimit
