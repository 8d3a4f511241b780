#include "data/npy.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "tests/data/fixtures.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;

fs::path golden(const std::string& name) {
  return fs::path(QLIMIT_SOURCE_DIR) / "tests/golden/data/npy" / (name + ".npy");
}

Bytes golden_bytes(const std::string& name) { return read_file(golden(name), 1 << 16); }

// The values that tests/golden/data/npy/make.py gives to an array.
template <typename T>
Tensor<T> counted(const Shape& shape) {
  Tensor<T> tensor(shape);
  for (int64_t i = 0; i < tensor.size(); ++i) {
    const double value = static_cast<double>(std::is_unsigned_v<T> ? i : i - 3);
    tensor[i] = static_cast<T>(std::is_floating_point_v<T> ? value / 2 : value);
  }
  return tensor;
}

template <typename T>
void expect_array(const NpyArray& array, const Tensor<T>& expected) {
  const auto* tensor = std::get_if<Tensor<T>>(&array);
  ASSERT_NE(tensor, nullptr) << type_name(array);
  EXPECT_EQ(tensor->shape(), expected.shape());
  EXPECT_TRUE(std::equal(tensor->begin(), tensor->end(), expected.begin(), expected.end()));
}

TEST(Npy, ReadsWhatNumPyWrote) {
  expect_array(read_npy(golden("float32")), counted<float>({2, 3}));
  expect_array(read_npy(golden("int8")), counted<int8_t>({1, 2, 2, 3}));
  expect_array(read_npy(golden("uint8")), counted<uint8_t>({2, 2, 2}));
  expect_array(read_npy(golden("int32")), counted<int32_t>({4}));
  expect_array(read_npy(golden("int64")), counted<int64_t>({}));
  expect_array(read_npy(golden("version_2")), counted<float>({2, 3}));
  expect_array(read_npy(golden("version_3")), counted<float>({2, 3}));
  expect_array(read_npy(golden("float64")), counted<float>({2, 3}));
}

TEST(Npy, WritesWhatNumPyWrote) {
  for (const char* name : {"float32", "int8", "uint8", "int32", "int64"}) {
    const Bytes expected = golden_bytes(name);
    EXPECT_EQ(npy_bytes(parse_npy(expected, name)), std::string(expected.begin(), expected.end())) << name;
  }
}

TEST(Npy, NamesTypesAsNumPyDoes) {
  for (const char* name : {"float32", "int8", "uint8", "int32", "int64"})
    EXPECT_EQ(type_name(read_npy(golden(name))), name);
  EXPECT_EQ(shape_of(read_npy(golden("uint8"))), Shape({2, 2, 2}));
}

TEST(Npy, WhatIsWrittenIsReadAgain) {
  const TemporaryFolder folder;
  Tensor<float> odd({5, 1, 7, 3});
  for (int64_t i = 0; i < odd.size(); ++i) odd[i] = std::sqrt(static_cast<float>(i));
  odd[1] = std::numeric_limits<float>::quiet_NaN();
  odd[2] = -0.0f;
  write_npy(folder / "a.npy", odd);
  const auto back = std::get<Tensor<float>>(read_npy(folder / "a.npy"));
  ASSERT_EQ(back.shape(), odd.shape());
  EXPECT_EQ(std::memcmp(back.data(), odd.data(), sizeof(float) * static_cast<size_t>(odd.size())), 0);
}

TEST(Npy, NamesAMissingFile) {
  const TemporaryFolder folder;
  expect_error([&] { read_npy(folder / "nowhere.npy"); }, ErrorKind::kIo, {"nowhere.npy"});
}

TEST(Npy, RefusesArraysItDoesNotTake) {
  const auto refused = [](const char* name, const std::vector<std::string>& parts) {
    expect_error([&] { read_npy(golden(name)); }, ErrorKind::kData, parts);
  };
  refused("fortran", {"fortran.npy", "Fortran", "ascontiguousarray"});
  refused("big_endian", {"big_endian.npy", "little-endian", ">f4"});
  refused("bool", {"bool.npy", "|b1"});
  refused("structured", {"structured.npy", "plain array"});
  refused("five_dimensions", {"five_dimensions.npy", "at most 4", "found 5"});
  refused("no_elements", {"no_elements.npy", "no elements"});
}

// A file of version 1.0 with this header, as it stands, and these values.
Bytes npy(const std::string& header, size_t values = 0) {
  Bytes bytes = {0x93,
                 'N',
                 'U',
                 'M',
                 'P',
                 'Y',
                 1,
                 0,
                 static_cast<uint8_t>(header.size() & 255),
                 static_cast<uint8_t>(header.size() >> 8)};
  bytes.insert(bytes.end(), header.begin(), header.end());
  return bytes + Bytes(values);
}

TEST(Npy, TakesPythonsFreedomInTheHeader) {
  expect_array(parse_npy(npy("{\"shape\":(2,),'fortran_order':False,'descr':'|i1'}", 2), "here"),
               Tensor<int8_t>({2}));
  expect_array(
      parse_npy(npy("  { 'descr' : '<i4' , 'fortran_order' : False , 'shape' : ( 1 , 2 , ) , } \n \n", 8),
                "here"),
      Tensor<int32_t>({1, 2}));
}

TEST(Npy, RefusesHostileHeaders) {
  const auto refused = [](const Bytes& bytes, const std::vector<std::string>& parts) {
    expect_error([&] { parse_npy(bytes, "the file"); }, ErrorKind::kData, parts);
  };
  const auto shaped = [](const std::string& shape, size_t values) {
    return npy("{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }", values);
  };
  EXPECT_NO_THROW(parse_npy(shaped("(2,)", 8), "the file"));
  refused({}, {"the file", "not a .npy file"});
  refused(Bytes(200, 0x93), {"not a .npy file"});
  refused(shaped("(2,)", 7), {"truncated", "8 bytes", "found 7"});
  refused(shaped("(2,)", 9), {"too long", "8 bytes", "found 9"});
  refused(shaped("(1000000000,)", 8), {"absurd"});
  refused(shaped("(99999999999999999999999999,)", 8), {"absurd"});
  // 65536^4 is 0 in 64 bits.
  refused(shaped("(65536, 65536, 65536, 65536)", 0), {"absurd"});
  refused(shaped("(1073741824, 1073741824, 4)", 0), {"absurd"});
  for (const char* shape :
       {"(-1,)", "2", "()(", "(2", "(2 2)", "(,)", "(2,,)", "[2]", "(2.0,)", "", "(0x2,)"})
    refused(shaped(shape, 8), {"header", "the file"});
  for (const char* header :
       {"", "{", "}", "{}", "{'descr': '<f4'", "{'descr': '<f4}", "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (), 'more': 1}",
        "{'descr': '<f4', 'fortran_order': Falsehood, 'shape': ()}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': ()}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': ()} extra",
        "{'descr': __import__('os'), 'fortran_order': False, 'shape': ()}"})
    refused(npy(header, 4), {"header"});
  refused(npy("{'descr': '\n\x01<f4\xff a long story that goes on', 'fortran_order': False, 'shape': ()}", 4),
          {"type", "found ??", "f4?"});
}

TEST(Npy, RefusesOtherVersions) {
  Bytes bytes = golden_bytes("float32");
  bytes[6] = 4;
  expect_error([&] { parse_npy(bytes, "the file"); }, ErrorKind::kData, {"version", "4.0"});
  bytes[6] = 1, bytes[7] = 1;
  expect_error([&] { parse_npy(bytes, "the file"); }, ErrorKind::kData, {"version", "1.1"});
}

TEST(Npy, RefusesADoubleBeyondTheFloats) {
  Bytes bytes = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (), }");
  const double huge = 1e300, infinite = -std::numeric_limits<double>::infinity();
  const auto with = [&](const double& value) {
    const auto* raw = reinterpret_cast<const uint8_t*>(&value);
    return bytes + Bytes(raw, raw + sizeof value);
  };
  expect_error([&] { parse_npy(with(huge), "the file"); }, ErrorKind::kData, {"1e+300", "float32"});
  EXPECT_EQ(std::get<Tensor<float>>(parse_npy(with(infinite), "the file"))[0],
            -std::numeric_limits<float>::infinity());
}

TEST(Npy, EveryTruncationIsRefused) {
  for (const char* name : {"float32", "version_2", "int64"}) {
    const Bytes whole = golden_bytes(name);
    for (size_t size = 0; size < whole.size(); ++size) {
      const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      expect_error([&] { parse_npy(cut, "the file"); }, ErrorKind::kData, {"the file"});
    }
  }
}

}  // namespace
}  // namespace qlimit
