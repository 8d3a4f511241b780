// What the programs' command lines have in common: the checks of values, and complaints in one line. Only the
// sources that define options include this (CLI11 is a large header).
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace qlimit {

/// As an upper end of `whole`: none.
inline constexpr int64_t kMany = 1'000'000'000;

/// A number in [low,high]; "nan" is none.
CLI::Validator between(double low, double high);
CLI::Validator whole(int64_t low, int64_t high);
CLI::Validator one_of(std::vector<std::string> choices);

/// Reads the arguments (without the program's name) into the options of `app`. Prints the help to `out` and
/// returns false if it is asked for. Throws kUsage, in one line, for a missing or misspelt value, and for an
/// unknown option, with a list of the known ones.
bool parse_command_line(CLI::App& app, const std::vector<std::string>& arguments, std::ostream& out);

}  // namespace qlimit
