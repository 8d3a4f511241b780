#include "data/idx.h"

#include "data/gzip.h"
#include "tests/data/fixtures.h"

namespace qlimit {
namespace {

// Written by hand from the format's description: two images of 1x3 pixels.
const Bytes kTwoImages = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 10, 20, 30, 40, 50, 255};
const Bytes kThreeLabels = {0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 9};

TEST(Idx, ReadsImages) {
  const Tensor<uint8_t> images = parse_idx_images(kTwoImages, "here");
  EXPECT_EQ(images.shape(), Shape({2, 1, 3, 1}));
  EXPECT_EQ(images(1, 0, 2, 0), 255);
  EXPECT_EQ(Bytes(images.begin(), images.end()), (Bytes{10, 20, 30, 40, 50, 255}));
}

TEST(Idx, ReadsLabels) { EXPECT_EQ(parse_idx_labels(kThreeLabels, "here"), (Bytes{7, 0, 9})); }

TEST(Idx, ReadsCompressedBytes) {
  EXPECT_EQ(parse_idx_labels(gzip(kThreeLabels), "here"), (Bytes{7, 0, 9}));
  EXPECT_EQ(parse_idx_images(gzip(kTwoImages), "here").shape(), Shape({2, 1, 3, 1}));
}

TEST(Idx, ReadsSizesBeyondOneByte) {
  const Bytes values = random_bytes(300 * 17 * 5);
  const Tensor<uint8_t> images = parse_idx_images(idx_file({300, 17, 5}, values), "here");
  EXPECT_EQ(images.shape(), Shape({300, 17, 5, 1}));
  EXPECT_EQ(Bytes(images.begin(), images.end()), values);
}

TEST(Idx, FindsThePlainFileFirstThenTheCompressedOne) {
  const TemporaryFolder folder;
  const auto path = folder / "labels";
  write_file(path.string() + ".gz", gzip(kThreeLabels));
  EXPECT_EQ(read_idx_labels(path), (Bytes{7, 0, 9}));
  write_file(path, idx_file({1}, {4}));
  EXPECT_EQ(read_idx_labels(path), (Bytes{4}));
}

TEST(Idx, NamesAMissingFileAndWhatToDo) {
  const TemporaryFolder folder;
  expect_error([&] { read_idx_images(folder / "nowhere", "do this"); }, ErrorKind::kIo,
               {"nowhere", "do this"});
}

struct BadIdx {
  const char* name;
  Bytes bytes;
  std::vector<std::string> message;
};

class BadImages : public testing::TestWithParam<BadIdx> {};

TEST_P(BadImages, AreRefusedInOneLine) {
  const auto check = [&](const Bytes& bytes) {
    expect_error([&] { parse_idx_images(bytes, "the file", "do this"); }, ErrorKind::kData,
                 GetParam().message);
  };
  check(GetParam().bytes);
  check(gzip(GetParam().bytes));
}

const Bytes kHuge = {0xFF, 0xFF, 0xFF, 0xFF};

INSTANTIATE_TEST_SUITE_P(
    Idx, BadImages,
    testing::Values(
        BadIdx{"Empty", {}, {"the file", "empty", "do this"}},
        BadIdx{"OnlyAMagic", {0, 0, 8, 3}, {"truncated", "16 bytes", "found 4"}},
        BadIdx{"HeaderCut", Bytes(kTwoImages.begin(), kTwoImages.begin() + 15), {"truncated", "found 15"}},
        BadIdx{"ValuesMissing",
               Bytes(kTwoImages.begin(), kTwoImages.end() - 1),
               {"truncated", "expected 6", "found 5"}},
        BadIdx{"ByteTooMany", kTwoImages + Bytes{1}, {"too long", "expected 6", "found 7"}},
        BadIdx{"LabelsInstead", idx_file({20}, random_bytes(20)), {"00 00 08 03", "00 00 08 01"}},
        BadIdx{"FloatsInstead", Bytes{0, 0, 13, 3} + Bytes(24), {"00 00 08 03", "00 00 0d 03"}},
        BadIdx{"LittleEndian", Bytes{3, 8, 0, 0} + Bytes(24), {"03 08 00 00"}},
        BadIdx{"NoImages", idx_file({0, 28, 28}, {}), {"no data"}},
        BadIdx{"NoColumns", idx_file({5, 28, 0}, {}), {"no data"}},
        BadIdx{"AbsurdSize", Bytes{0, 0, 8, 3} + kHuge + Bytes{0, 0, 0, 28, 0, 0, 0, 28}, {"absurd"}},
        BadIdx{"AbsurdProduct", Bytes{0, 0, 8, 3} + kHuge + kHuge + kHuge, {"absurd"}},
        // 2^32 * 2^32 wraps to 0 and 65536^4 likewise: a product in 64 bits must not be believed.
        BadIdx{"WrappingProduct", idx_file({0x80000000u, 0x80000000u, 4}, Bytes(16)), {"absurd"}},
        BadIdx{"WithinTheLimitButNotThere",
               idx_file({60000, 28, 28}, Bytes(100)),
               {"truncated", "47040000", "100"}}),
    [](const auto& bad) { return std::string(bad.param.name); });

TEST(Gzip, RefusesDamage) {
  Bytes packed = gzip(idx_file({1000}, random_bytes(1000)));
  const auto parse = [](const Bytes& bytes) { return [&bytes] { parse_idx_labels(bytes, "the file"); }; };
  for (const size_t size : {size_t{2}, size_t{9}, size_t{10}, packed.size() / 2, packed.size() - 1}) {
    const Bytes cut(packed.begin(), packed.begin() + static_cast<ptrdiff_t>(size));
    expect_error(parse(cut), ErrorKind::kData, {"the file", "truncated"});
  }
  expect_error(parse(packed + Bytes{0}), ErrorKind::kData, {"the file", "follow"});
  packed[packed.size() - 6] ^= 1;  // in the checksum of the content
  expect_error(parse(packed), ErrorKind::kData, {"the file", "damaged"});
}

TEST(Gzip, StopsAtTheLimit) {
  const Bytes zeros(5'000'000);
  const Bytes bomb = gzip(zeros);
  ASSERT_LT(bomb.size(), 6000u);
  EXPECT_EQ(gunzip(bomb, 5'000'000, "here"), zeros);
  expect_error([&] { gunzip(bomb, 4'999'999, "here"); }, ErrorKind::kData, {"here", "4999999"});
  expect_error([&] { gunzip(bomb, 10'000, "here"); }, ErrorKind::kData, {"here", "too much"});
}

TEST(Gzip, UnpacksNothingAndManyChunks) {
  EXPECT_EQ(gunzip(gzip({}), 10, "here"), Bytes{});
  const Bytes noise = random_bytes(3'000'001);
  EXPECT_EQ(gunzip(gzip(noise), 4'000'000, "here"), noise);
}

}  // namespace
}  // namespace qlimit
