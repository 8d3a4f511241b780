// What the main functions share: how a program ends.
#pragma once

#include <functional>

namespace qlimit {

/// Runs `body` and returns its exit status. An Error becomes one line on standard error and status 1, or 2 if
/// it is about usage; so does any other exception, with status 1.
int run_program(const std::function<int()>& body);

}  // namespace qlimit
