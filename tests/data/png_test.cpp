#include "data/png.h"

#include "tests/data/fixtures.h"
#include "tests/data/made_png.h"

namespace qlimit {
namespace {

Bytes pixels_of(const Tensor<uint8_t>& picture) { return {picture.begin(), picture.end()}; }

Bytes with_chunk(const Bytes& png, int64_t at, const Bytes& chunk) {
  Bytes result(png.size() + chunk.size());
  auto to = std::copy_n(png.begin(), at, result.begin());
  to = std::copy(chunk.begin(), chunk.end(), to);
  std::copy(png.begin() + at, png.end(), to);
  return result;
}

TEST(Png, KeepsEveryPixel) {
  const Bytes colours = random_bytes(5 * 7 * 3), greys = random_bytes(5 * 7);
  const Tensor<uint8_t> colour = parse_png(made_png(7, 5, PngColour::kRgb, colours), 3, "here");
  EXPECT_EQ(colour.shape(), Shape({5, 7, 3}));
  EXPECT_EQ(pixels_of(colour), colours);
  const Tensor<uint8_t> grey = parse_png(made_png(7, 5, PngColour::kGrey, greys), 1, "here");
  EXPECT_EQ(grey.shape(), Shape({5, 7, 1}));
  EXPECT_EQ(pixels_of(grey), greys);
}

TEST(Png, GreyBecomesThreeEqualChannels) {
  EXPECT_EQ(pixels_of(parse_png(made_png(2, 1, PngColour::kGrey, {9, 200}), 3, "here")),
            (Bytes{9, 9, 9, 200, 200, 200}));
}

TEST(Png, ColourBecomesLuma) {
  const Bytes colours = {255, 0, 0, 0, 255, 0, 0, 0, 255, 77, 77, 77};
  const Tensor<uint8_t> grey = parse_png(made_png(4, 1, PngColour::kRgb, colours), 1, "here");
  // The weights of ITU-R BT.601 in 256ths (each off by less than 0.004, so 1 in 255), and rounded down.
  EXPECT_NEAR(grey[0], 0.299 * 255, 2);
  EXPECT_NEAR(grey[1], 0.587 * 255, 2);
  EXPECT_NEAR(grey[2], 0.114 * 255, 2);
  EXPECT_EQ(grey[3], 77);
}

TEST(Png, TransparencyIsLeftOut) {
  EXPECT_EQ(pixels_of(parse_png(made_png(1, 2, PngColour::kRgba, {1, 2, 3, 0, 4, 5, 6, 128}), 3, "here")),
            (Bytes{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(pixels_of(parse_png(made_png(2, 1, PngColour::kGreyAlpha, {8, 0, 9, 255}), 1, "here")),
            (Bytes{8, 9}));
}

TEST(Png, OfSixteenBitsTheUpperEightAreKept) {
  EXPECT_EQ(pixels_of(parse_png(made_png(2, 1, PngColour::kGrey, {1, 255, 200, 0}, 16), 1, "here")),
            (Bytes{1, 200}));
}

TEST(Png, RefusesWhatIsNone) {
  const Bytes good = made_png(3, 2, PngColour::kRgb, random_bytes(18));
  const auto refused = [](const Bytes& bytes) {
    expect_error([&] { parse_png(bytes, 3, "the file"); }, ErrorKind::kData, {"the file", "a PNG"});
  };
  refused({});
  refused(random_bytes(100));
  refused(Bytes(good.begin(), good.begin() + 40));
  refused(made_png(0, 0, PngColour::kRgb, {}));
  refused(made_png(1u << 15, 1u << 15, PngColour::kRgb, {}));  // two thousand millions of pixels
  refused(made_png(3, 1000, PngColour::kRgb, random_bytes(18)));
  expect_error([&] { parse_png(good, 2, "the file"); }, ErrorKind::kUsage, {"1 or 3 channels", "found 2"});
}

// Checksums find any single bit, and nothing is read as if it were another picture.
TEST(Png, EveryDamageIsFound) {
  const Bytes good = made_png(9, 9, PngColour::kRgb, random_bytes(243));
  for (size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= static_cast<uint8_t>(1 << (i % 8));
    expect_error([&] { parse_png(bad, 3, "the file"); }, ErrorKind::kData, {"the file", "a PNG"});
    expect_error(
        [&] { parse_png(Bytes(good.begin(), good.begin() + static_cast<int64_t>(i)), 3, "the file"); },
        ErrorKind::kData, {"the file", "a PNG"});
  }
}

TEST(Png, EmptyChunksAndBytesBehindTheEndAreNothing) {
  const Bytes pixels = random_bytes(3 * 2 * 3), good = made_png(3, 2, PngColour::kRgb, pixels);
  constexpr int64_t kHeaderEnd = 8 + 12 + 13;
  Bytes padded = with_chunk(good, kHeaderEnd, {0, 0, 0, 0, 'I', 'D', 'A', 'T', 0x35, 0xaf, 0x06, 0x1e});
  padded.push_back(7);
  EXPECT_EQ(pixels_of(parse_png(padded, 3, "here")), pixels);
}

TEST(Png, TheHeaderComesFirst) {
  const Bytes good = made_png(3, 2, PngColour::kRgb, random_bytes(18));
  const Bytes bytes = with_chunk(good, 8, Bytes(good.end() - 12, good.end()));
  expect_error([&] { parse_png(bytes, 3, "the file"); }, ErrorKind::kData, {"begin with its header"});
}

}  // namespace
}  // namespace qlimit
