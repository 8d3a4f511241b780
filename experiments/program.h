// What the main functions share: how a program ends.
#pragma once

#include <functional>
#include <string>

namespace qlimit {

/// Runs the body of the program `name` and returns its exit status. An Error becomes one line on standard
/// error, "name: what went wrong", and status 1, or 2 if it is about usage; so does any other exception, with
/// status 1.
int run_program(const std::string& name, const std::function<int()>& body);

}  // namespace qlimit
