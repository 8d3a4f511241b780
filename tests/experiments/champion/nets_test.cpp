#include "experiments/champion/nets.h"

#include <gtest/gtest.h>

#include "layers/summary.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

Summary net(const std::string& text, const Shape& image = {1, 32, 32, 3}) {
  Random random(1, "test");
  return summarize(*make_net(text, image, random), image);
}

// A convolution of t taps from i to o channels: i t o weights; batch norm: two numbers a channel.
TEST(ChampionNets, WordsAreLayers) {
  EXPECT_EQ(net("").parameters, 3 * 10 + 10);
  EXPECT_EQ(net("C16").parameters, (3 * 9 * 16 + 2 * 16) + (16 * 10 + 10));
  EXPECT_EQ(net("D8").parameters, (9 * 3 + 2 * 3) + (3 * 8 + 2 * 8) + (8 * 10 + 10));
  EXPECT_EQ(net("C5 R5").parameters - net("C5").parameters, (9 * 5 + 2 * 5) + (5 * 5 + 2 * 5));
  EXPECT_EQ(net("C5 R5").multiply_adds - net("C5").multiply_adds, 1024 * (9 * 5 + 5 * 5));
  EXPECT_EQ(net("C5 P R5").multiply_adds - net("C5 P").multiply_adds, 256 * (9 * 5 + 5 * 5));
  EXPECT_EQ(net("  C4\tP ").rows.back().output, Shape({1, 10}));
  EXPECT_EQ(net("standard").parameters, 353'802);
}

TEST(ChampionNets, WhatIsNoNetIsRefused) {
  const auto refused = [](const std::string& text, const std::vector<std::string>& parts) {
    expect_error([&] { net(text, {1, 28, 28, 1}); }, ErrorKind::kUsage, parts);
  };
  refused("C16 X24", {"word 2", "X24"});
  refused("C", {"word 1", "D24"});
  refused("C0", {"word 1", "C0", "1 to 1024"});
  refused("C-4", {"word 1", "C-4"});
  refused("C16x", {"word 1", "C16x"});
  refused("D1025", {"word 1", "1 to 1024"});
  refused("C99999999999999999999", {"word 1", "1 to 1024"});
  refused("C16 P R24", {"word 3", "R16", "R24"});
  refused("P P P P P", {"word 5", "1x1"});
  refused("c16", {"word 1", "c16"});
  refused("standard", {"word 1", "standard", "1,28,28,1"});
}

}  // namespace
}  // namespace qlimit
