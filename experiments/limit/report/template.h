// A page with holes: text in which {{kind:name}} stands for something that a program computes.
//
//   fill_template("lost: {{value:drop}} points", {{"value:drop", "0.17"}}, "page.md");
//   // "lost: 0.17 points"
//
// Both sides have to agree: what the page asks for must be there, and what is there must be shown.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace qlimit {

/// texts: by what stands between the braces. A text that ends its own line loses its last line end where one
/// follows in the page. Throws kData for a placeholder that is unknown, or not closed on its line (with
/// `where` and the line), and for texts that the page does not use (with their names).
std::string fill_template(std::string_view page, const std::map<std::string, std::string>& texts,
                          const std::string& where);

}  // namespace qlimit
