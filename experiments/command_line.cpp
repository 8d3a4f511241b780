#include "experiments/command_line.h"

#include <algorithm>
#include <limits>
#include <ostream>

#include "core/error.h"

namespace qlimit {
namespace {

std::string known_options(const CLI::App& app) {
  std::string list;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) list += (list.empty() ? "--" : " --") + name;
  }
  return list;
}

// `--output --resume` would otherwise be a folder of that name, and `--jobs ""`, from a script whose variable is
// not set, as good as no option.
void check_values(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& value : option->results()) {
      if (value.empty())
        throw Error(ErrorKind::kUsage,
                    {.what = concat(option->get_name(), " has an empty value"), .hint = "see --help"});
      if (!value.starts_with("--") || app.get_option_no_throw(value) == nullptr) continue;
      throw Error(ErrorKind::kUsage, {.what = concat(option->get_name(), " has no value"),
                                      .found = concat("the option ", value, " in its place"),
                                      .hint = "see --help"});
    }
  }
}

}  // namespace

// CLI11's own range check accepts "nan", which no comparison refuses.
CLI::Validator between(double low, double high) {
  const std::string range = concat("a number from ", low, " to ", high);
  return CLI::Validator(
      [=](std::string& text) -> std::string {
        double value = std::numeric_limits<double>::quiet_NaN();
        const bool number = CLI::detail::lexical_cast(text, value);
        return number && value >= low && value <= high ? "" : "expected " + range + ", found " + text;
      },
      concat("[", low, " ... ", high, "]"));
}

CLI::Validator whole(int64_t low, int64_t high) {
  const std::string range = high == kMany ? concat("a whole number, at least ", low)
                                          : concat("a whole number from ", low, " to ", high);
  return CLI::Validator(
      [=](std::string& text) -> std::string {
        int64_t value = 0;
        const bool number = CLI::detail::lexical_cast(text, value) && concat(value) == text;  // 010 is octal
        return number && value >= low && value <= high ? "" : "expected " + range + ", found " + text;
      },
      high == kMany ? concat("[", low, " ...]") : concat("[", low, " ... ", high, "]"));
}

CLI::Validator one_of(std::vector<std::string> choices) {
  std::string list = CLI::detail::join(choices, ", ");
  return CLI::Validator(
      [=](std::string& text) -> std::string {
        const bool known = std::find(choices.begin(), choices.end(), text) != choices.end();
        return known ? "" : "expected one of " + list + ", found " + text;
      },
      "{" + list + "}");
}

bool parse_command_line(CLI::App& app, const std::vector<std::string>& arguments, std::ostream& out) {
  app.allow_extras();  // collected, for a better message than CLI11's
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // CLI11 wants them reversed
  } catch (const CLI::CallForHelp&) {
    out << app.help();
    return false;
  } catch (const CLI::ParseError& error) {
    throw Error(ErrorKind::kUsage, {.what = error.what(), .hint = "see --help"});
  }
  check_values(app);
  if (!app.remaining().empty()) {
    throw Error(ErrorKind::kUsage, {.what = "unknown option",
                                    .where = app.remaining().front(),
                                    .hint = "the options are " + known_options(app)});
  }
  return true;
}

}  // namespace qlimit
