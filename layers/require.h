// The check that every operation starts with: is the input's shape one that it can work on?
//
//   require_shape(x.rank() == 2, "dense", "[N,I]", x.shape());
//   -> wrong shape: dense: expected [N,I], found [32,4,4,8]
#pragma once

#include <string>

#include "core/error.h"
#include "core/shape.h"

namespace qlimit {

/// Throws kUsage, naming the operation and both shapes, unless `holds`.
inline void require_shape(bool holds, const char* operation, const std::string& expected,
                          const Shape& found) {
  if (holds) return;
  throw Error(ErrorKind::kUsage,
              {.what = "wrong shape", .where = operation, .expected = expected, .found = found.to_string()});
}

}  // namespace qlimit
