#include "experiments/limit/report/template.h"

#include <algorithm>
#include <set>

#include "core/error.h"

namespace qlimit {
namespace {

constexpr std::string_view kOpen = "{{", kClose = "}}";

std::string list_of(const std::set<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

}  // namespace

std::string fill_template(std::string_view page, const std::map<std::string, std::string>& texts,
                          const std::string& where) {
  std::set<std::string> unused;
  for (const auto& [name, text] : texts) unused.insert(name);
  std::string filled;
  size_t at = 0;
  for (size_t open; (open = page.find(kOpen, at)) != std::string_view::npos;) {
    const auto line = 1 + std::count(page.begin(), page.begin() + static_cast<std::ptrdiff_t>(open), '\n');
    const std::string place = concat(where, " line ", line);
    const size_t close = page.find(kClose, open);
    if (close == std::string_view::npos ||
        page.substr(open, close - open).find('\n') != std::string_view::npos)
      throw Error(ErrorKind::kData,
                  {.what = "a placeholder is not closed", .where = place, .expected = "}}"});
    const std::string name(page.substr(open + kOpen.size(), close - open - kOpen.size()));
    const auto text = texts.find(name);
    if (text == texts.end())
      throw Error(ErrorKind::kData, {.what = "a placeholder is not known", .where = place, .found = name});
    unused.erase(name);
    filled += page.substr(at, open - at);
    filled += text->second;
    at = close + kClose.size();
    if (text->second.ends_with('\n') && page.substr(at).starts_with('\n')) ++at;
  }
  if (!unused.empty())
    throw Error(ErrorKind::kData,
                {.what = "the page does not show everything", .where = where, .found = list_of(unused)});
  return filled.append(page.substr(at));
}

}  // namespace qlimit
