// One function object out of several lambdas, for std::visit: the call goes to the one that fits best.
#pragma once

namespace qlimit {

template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
// C++20 does without; clang before 17 does not.
template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

}  // namespace qlimit
