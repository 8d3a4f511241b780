// Which of several trades between latency and accuracy are worth having.
//
//   pareto_front({{10, 0.70}, {20, 0.80}, {30, 0.75}});  // {0, 1}: the third is slower and less accurate
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace qlimit {

struct Trade {
  double latency = 0;   // less is better
  double accuracy = 0;  // more is better
};

/// True if `a` is at least as good as `b` in both respects and better in one.
bool dominates(const Trade& a, const Trade& b);

/// The indices of the trades that no other dominates, by rising latency, then rising index. Equal trades do
/// not dominate each other: all of them stay.
std::vector<size_t> pareto_front(std::span<const Trade> trades);

}  // namespace qlimit
