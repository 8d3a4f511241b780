// An object of a JSON file, read strictly: each complaint names the place and the key, and the hint says what
// to do about it.
//
//   const JsonObject object = JsonObject::parse(line, "results.jsonl line 3");
//   object.expect_keys({"job", "fp32"});
//   const int64_t fp32 = object.whole("fp32", 0, 10000);
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace qlimit {

/// The whole numbers up to here are kept by every JSON reader.
inline constexpr int64_t kMostWhole = int64_t{1} << 53;

class JsonObject {
 public:
  /// Throws kData unless the text is one JSON object and nothing else. `hint` ends all complaints.
  static JsonObject parse(std::string_view text, const std::string& where, const std::string& hint = {});

  /// In the order of the text.
  std::vector<std::string> keys() const;
  bool has(const std::string& key) const { return json_.contains(key); }
  /// Throws kData unless these are the keys, in any order, with or without those of `others`.
  void expect_keys(const std::vector<std::string>& keys, const std::vector<std::string>& others = {}) const;

  /// The value of a key; kData if it is missing, of another type or out of range.
  JsonObject object(const std::string& key) const;
  std::vector<JsonObject> objects(const std::string& key) const;  // of an array
  std::string text(const std::string& key) const;
  int64_t whole(const std::string& key, int64_t low, int64_t high) const;
  double number(const std::string& key, double low, double high) const;

  [[noreturn]] void fail(const std::string& key, const std::string& expected, const std::string& found) const;

 private:
  using Json = nlohmann::ordered_json;
  JsonObject(Json json, std::string where, std::string hint);
  const Json& at(const std::string& key) const;

  Json json_;
  std::string where_, hint_;
};

}  // namespace qlimit
