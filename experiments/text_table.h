// Tables for people, and numbers in them.
//
//   text_table({{"layer", "bytes"}, {"conv2d_1", thousands(1152)}});
//
//   layer     bytes
//   conv2d_1  1,152
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace qlimit {

using TextRow = std::vector<std::string>;

/// Columns two spaces apart, the first `left_columns` to the left and the others to the right; one line a
/// row.
std::string text_table(const std::vector<TextRow>& rows, size_t left_columns = 1);

/// 12,345; not negative.
std::string thousands(int64_t number);

}  // namespace qlimit
