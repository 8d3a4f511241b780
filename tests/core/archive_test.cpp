// The archive: against a file made by other hands, and against damaged and hostile bytes.

#include "core/archive.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "core/checksum.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/random.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qlimit {
namespace {

using Bytes = std::vector<uint8_t>;

std::span<const uint8_t> as_bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// Published check values: the catalogue of CRC algorithms (G. Cook), and RFC 3720-style edge cases known from
// zlib.
TEST(Checksum, EqualsPublishedValues) {
  EXPECT_EQ(crc32(as_bytes("123456789")), 0xCBF43926u);
  EXPECT_EQ(crc32({}), 0u);
  EXPECT_EQ(crc32(as_bytes("a")), 0xE8B7BE43u);
  EXPECT_EQ(crc32(as_bytes("The quick brown fox jumps over the lazy dog")), 0x414FA339u);
  EXPECT_EQ(crc32(Bytes(32, 0)), 0x190A55ADu);
  EXPECT_EQ(crc32(Bytes(32, 0xFF)), 0xFF6CAB0Bu);
}

TEST(Checksum, ContinuesWhereAnEarlierPartEnded) {
  const std::string text = "123456789";
  for (size_t cut = 0; cut <= text.size(); ++cut)
    EXPECT_EQ(crc32(as_bytes(text.substr(cut)), crc32(as_bytes(text.substr(0, cut)))), 0xCBF43926u);
}

// ---- round trip and format ----

Archive small_archive() {
  Archive archive;
  archive.add("note", "two\nlines");
  archive.add("epoch", 7);
  archive.add("w", Tensor<float>({2, 2}, {1, -2, 0.5f, 3}));
  archive.add("q", Tensor<int8_t>({3}, {-128, 0, 127}));
  return archive;
}

TEST(Archive, ReadsAFileMadeFromTheDescriptionAlone) {
  const Archive archive = Archive::load(QLIMIT_SOURCE_DIR "/tests/golden/core/archive_v1.qla");
  EXPECT_EQ(archive.text("note"), std::string("h\xC3\xA9\0\n", 5));
  const Tensor<float>& f32 = archive.tensor<float>("f32");
  EXPECT_EQ(f32.shape(), Shape({2, 3}));
  EXPECT_EQ(f32(0, 2), -2.5f);
  EXPECT_EQ(f32(1, 0), std::numeric_limits<float>::denorm_min());
  EXPECT_EQ(f32(1, 1), std::numeric_limits<float>::max());
  EXPECT_TRUE(std::signbit(f32(1, 2)));
  EXPECT_EQ(archive.tensor<double>("f64")[0], 0.1);
  EXPECT_EQ(archive.tensor<int32_t>("i32")(0, 0, 0), std::numeric_limits<int32_t>::min());
  EXPECT_EQ(archive.tensor<int32_t>("i32")(0, 0, 1), std::numeric_limits<int32_t>::max());
  EXPECT_EQ(archive.number("i64"), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(archive.tensor<uint8_t>("u8")(0, 0, 1, 1), 255);
  EXPECT_EQ(archive.tensor<int8_t>("i8")[0], -128);
  EXPECT_EQ(archive.tensor<float>("none").shape(), Shape({0, 7}));
  EXPECT_EQ(archive.entries().size(), 8u);
  // And writes it back byte for byte.
  EXPECT_EQ(archive.to_bytes(), read_file(QLIMIT_SOURCE_DIR "/tests/golden/core/archive_v1.qla", 10'000));
}

TEST(Archive, KeepsOrderNamesAndValues) {
  const Archive read = Archive::parse(small_archive().to_bytes(), "memory");
  ASSERT_EQ(read.entries().size(), 4u);
  EXPECT_EQ(read.entries()[0].name, "note");
  EXPECT_EQ(read.entries()[3].name, "q");
  EXPECT_EQ(read.text("note"), "two\nlines");
  EXPECT_EQ(read.number("epoch"), 7);
  EXPECT_EQ(read.tensor<float>("w")(1, 0), 0.5f);
  EXPECT_EQ(Archive::parse(Archive().to_bytes(), "").entries().size(), 0u);
}

TEST(Archive, SavesAndLoadsAFile) {
  const TemporaryFolder folder;
  small_archive().save(folder / "a.qla");
  EXPECT_EQ(Archive::load(folder / "a.qla").to_bytes(), small_archive().to_bytes());
  expect_error([&] { Archive::load(folder / "b.qla"); }, ErrorKind::kIo, {"b.qla"});
  write_file(folder / "empty.qla", "");
  expect_error([&] { Archive::load(folder / "empty.qla"); }, ErrorKind::kData, {"too short", "empty.qla"});
}

TEST(Archive, TensorsWithoutElementsComeBackWhateverStandsBehindThem) {
  Archive archive;
  archive.add("first", Tensor<float>({100, 0}));
  archive.add("last", Tensor<int8_t>({0, 100}));
  const Archive read = Archive::parse(archive.to_bytes(), "memory");
  EXPECT_EQ(read.tensor<float>("first").shape(), Shape({100, 0}));
  EXPECT_EQ(read.tensor<int8_t>("last").shape(), Shape({0, 100}));
}

template <typename T>
concept Addable = requires(Archive a, T value) {
  a.add("x", value);
};

TEST(Archive, AFractionIsNotCutOffWithoutAWord) {
  EXPECT_TRUE(Addable<int>);
  EXPECT_FALSE(Addable<double>);
  EXPECT_FALSE(Addable<float>);
}

// ---- wrong use ----

TEST(Archive, RefusesBadNamesAndEmptyHandles) {
  Archive archive = small_archive();
  expect_error([&] { archive.add("w", 1); }, ErrorKind::kUsage, {"once", "w"});
  expect_error([&] { archive.add("", 1); }, ErrorKind::kUsage, {"1 to 255"});
  expect_error([&] { archive.add(std::string(256, 'x'), 1); }, ErrorKind::kUsage, {"1 to 255"});
  expect_error([&] { archive.add("line\nbreak", 1); }, ErrorKind::kUsage, {"printable"});
  expect_error([&] { archive.add("t", Tensor<float>()); }, ErrorKind::kUsage, {"empty", "t"});
  archive.add(std::string(255, 'x'), 1);
  EXPECT_EQ(archive.to_bytes(), Archive::parse(archive.to_bytes(), "").to_bytes());
}

TEST(Archive, SaysWhatIsMissingOrOfAnotherType) {
  const Archive archive = Archive::parse(small_archive().to_bytes(), "some.qla");
  expect_error([&] { archive.tensor<float>("v"); }, ErrorKind::kData, {"missing", "some.qla", "v"});
  expect_error([&] { archive.tensor<double>("w"); }, ErrorKind::kData, {"w", "some.qla", "f64", "f32"});
  expect_error([&] { archive.text("q"); }, ErrorKind::kData, {"q", "text", "i8"});
  expect_error([&] { archive.number("w"); }, ErrorKind::kData, {"w", "i64", "f32"});
}

// ---- untrusted bytes ----

// Makes length and checksum right again, so that damage reaches the entries.
Bytes repaired(Bytes bytes) {
  const uint64_t length = bytes.size();
  std::memcpy(bytes.data() + 16, &length, 8);
  const uint32_t checksum = crc32(std::span(bytes).first(bytes.size() - 4));
  std::memcpy(bytes.data() + bytes.size() - 4, &checksum, 4);
  return bytes;
}

void expect_refused(const Bytes& bytes, const std::vector<std::string>& fragments) {
  expect_error([&] { Archive::parse(bytes, "x.qla"); }, ErrorKind::kData, fragments);
}

TEST(HostileArchive, EveryTruncationIsRefused) {
  const Bytes whole = small_archive().to_bytes();
  for (size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<int64_t>(size));
    expect_refused(cut, {"x.qla", size < 28 ? "too short" : "cut short"});
    if (size >= 28) expect_refused(repaired(cut), {"x.qla"});
  }
}

TEST(HostileArchive, EveryChangedBitIsRefused) {
  const Bytes whole = small_archive().to_bytes();
  for (size_t at = 0; at < whole.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes bytes = whole;
      bytes[at] ^= static_cast<uint8_t>(1 << bit);
      expect_refused(bytes, {"x.qla"});
    }
  }
}

TEST(HostileArchive, RandomDamageBehindAValidChecksumNeverDoesHarm) {
  const Bytes whole = small_archive().to_bytes();
  Random random(1, "damage");
  int accepted = 0, refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    Bytes bytes = whole;
    for (uint32_t i = 0, flips = 1 + random.below(3); i < flips; ++i)
      bytes[8 + random.below(static_cast<uint32_t>(bytes.size()) - 8)] = static_cast<uint8_t>(random.next());
    try {
      // What is accepted is a proper archive: written again, it is the same file.
      const Bytes fixed = repaired(bytes);
      EXPECT_EQ(Archive::parse(fixed, "x.qla").to_bytes(), fixed);
      ++accepted;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kData);
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
      ++refused;
    }
  }
  EXPECT_GT(accepted, 1000);
  EXPECT_GT(refused, 1000);
}

TEST(HostileArchive, TheFrameIsChecked) {
  const Bytes whole = small_archive().to_bytes();
  Bytes bytes = whole;
  bytes[0] = 'X';
  expect_refused(bytes, {"not an archive", "QLIMITAR"});
  bytes = whole;
  bytes[8] = 2;
  expect_refused(repaired(bytes), {"version", "expected 1", "found 2"});
  bytes = whole;
  bytes.push_back(0);
  expect_refused(bytes, {"too long"});
  expect_refused(repaired(bytes), {"after its last entry"});
  bytes = whole;
  bytes[whole.size() - 1] ^= 1;
  expect_refused(bytes, {"checksum"});
  bytes = whole;
  std::memset(bytes.data() + 12, 0xFF, 4);
  expect_refused(repaired(bytes), {"too many entries", "4294967295"});
  bytes = whole;
  bytes[12] = 5;
  expect_refused(repaired(bytes), {"middle of an entry"});
  bytes[12] = 3;
  expect_refused(repaired(bytes), {"after its last entry"});
}

// An archive of one entry, written field by field.
Bytes forged(const std::string& name, uint8_t type, const std::vector<int64_t>& dims, size_t payload,
             int copies = 1) {
  Bytes bytes = Archive().to_bytes();
  bytes.resize(24);
  bytes[12] = static_cast<uint8_t>(copies);
  for (int copy = 0; copy < copies; ++copy) {
    bytes.push_back(static_cast<uint8_t>(name.size()));
    bytes.insert(bytes.end(), name.begin(), name.end());
    bytes.push_back(type);
    bytes.push_back(static_cast<uint8_t>(dims.size()));
    for (int64_t dim : dims) {
      for (int i = 0; i < 8; ++i)
        bytes.push_back(static_cast<uint8_t>(static_cast<uint64_t>(dim) >> (8 * i)));
    }
    bytes.resize(bytes.size() + payload);
  }
  bytes.resize(bytes.size() + 4);
  return repaired(bytes);
}

TEST(HostileArchive, ForgedEntriesAreRefused) {
  EXPECT_EQ(Archive::parse(forged("a", 1, {2, 1}, 8), "").tensor<float>("a").shape(), Shape({2, 1}));
  expect_refused(forged("a", 1, {2}, 8, 2), {"twice", "a"});
  expect_refused(forged("", 1, {2}, 8), {"name"});
  expect_refused(forged("a\nb", 1, {2}, 8), {"name"});
  expect_refused(forged("a\x7F", 1, {2}, 8), {"name"});
  expect_refused(forged("a", 7, {2}, 8), {"unknown type", "7"});
  expect_refused(forged("a", 255, {2}, 8), {"unknown type", "255"});
  expect_refused(forged("a", 1, {1, 1, 1, 1, 1}, 4), {"rank 5"});
  expect_refused(forged("a", 0, {}, 1), {"rank 0"});
  expect_refused(forged("a", 0, {1, 1}, 1), {"rank 2"});
  expect_refused(forged("a", 1, {3}, 8), {"middle of an entry", "12"});
}

TEST(Archive, HoldsSoManyEntriesAndNoMore) {
  Archive archive;
  for (uint32_t i = 0; i < Archive::kMaxEntries; ++i) archive.add(std::to_string(i), 1);
  expect_error([&] { archive.add("x", 1); }, ErrorKind::kUsage, {"full", "65536 entries"});
}

TEST(HostileArchive, AbsurdSizesTakeNoMemory) {
  constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();
  restart_peak_memory();
  const int64_t before = memory_statistics().peak_bytes_in_use;
  for (const std::vector<int64_t>& dims :
       std::vector<std::vector<int64_t>>{{kHuge},
                                         {-1},
                                         {std::numeric_limits<int64_t>::min()},
                                         {1 << 20, 1 << 20},
                                         {int64_t{1} << 32, int64_t{1} << 32},
                                         {kHuge, kHuge, kHuge, kHuge},
                                         {1, 1, kHuge, 2},
                                         {64, -1, -1}}) {
    for (uint8_t type = 1; type <= 6; ++type) expect_refused(forged("a", type, dims, 64), {"larger than"});
  }
  expect_refused(forged("a", 0, {kHuge}, 64), {"larger than"});
  EXPECT_LE(memory_statistics().peak_bytes_in_use, before + 4096);
}

TEST(HostileArchive, AZeroDimensionHidesNothing) {
  constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(Archive::parse(forged("a", 2, {0, kHuge}, 0), "").tensor<double>("a").size(), 0);
  expect_refused(forged("a", 2, {kHuge, 0}, 0), {"larger than"});
}

}  // namespace
}  // namespace qlimit
