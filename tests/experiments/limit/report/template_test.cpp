#include "experiments/limit/report/template.h"

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

using Texts = std::map<std::string, std::string>;

std::string fill(const std::string& page, const Texts& texts) {
  return fill_template(page, texts, "page.md");
}

void refused(const std::string& page, const Texts& texts, const std::vector<std::string>& parts) {
  expect_error([&] { fill(page, texts); }, ErrorKind::kData, parts);
}

TEST(Template, PutsTextsInTheirPlaces) {
  EXPECT_EQ(
      fill("lost: {{value:a}} points, {{value:b}}{{value:a}}.", {{"value:a", "0.17"}, {"value:b", "x"}}),
      "lost: 0.17 points, x0.17.");
  EXPECT_EQ(fill("nothing { } to }} fill", {}), "nothing { } to }} fill");
  EXPECT_EQ(fill("", {}), "");
}

TEST(Template, ATableOnItsOwnLineAddsNoEmptyLine) {
  EXPECT_EQ(fill("a\n\n{{table:t}}\n\nb\n", {{"table:t", "| x |\n| y |\n"}}), "a\n\n| x |\n| y |\n\nb\n");
  EXPECT_EQ(fill("{{table:t}}", {{"table:t", "x\n"}}), "x\n");
}

// What is filled in is text, whatever it looks like.
TEST(Template, TextsAreNotFilledThemselves) {
  EXPECT_EQ(fill("{{value:a}}", {{"value:a", "{{value:a}}"}}), "{{value:a}}");
}

TEST(Template, UnknownPlaceholdersAreNamedWithTheirLine) {
  refused("a\nb {{value:x}}", {}, {"not known", "page.md line 2", "value:x"});
  refused("{{ value:a }}", {{"value:a", "1"}}, {"not known", "line 1"});
  refused("{{}}", {}, {"not known"});
}

TEST(Template, OpenPlaceholdersAreNamedWithTheirLine) {
  refused("a\n\n{{value:a", {{"value:a", "1"}}, {"not closed", "page.md line 3"});
  refused("{{value:a\n}}", {{"value:a", "1"}}, {"not closed", "page.md line 1"});
}

TEST(Template, EverythingMustBeShown) {
  refused("{{value:a}}", {{"value:a", "1"}, {"chart:b", "2"}, {"table:c", "3"}},
          {"does not show everything", "page.md", "chart:b, table:c"});
}

}  // namespace
}  // namespace qlimit
