#include "experiments/json_object.h"

#include <algorithm>

#include "core/error.h"

namespace qlimit {

JsonObject JsonObject::parse(std::string_view text, const std::string& where, const std::string& hint) {
  try {
    return JsonObject(Json::parse(text), where, hint);
  } catch (const Json::parse_error& error) {
    throw Error(ErrorKind::kData, {.what = "a result is not JSON",
                                   .where = where,
                                   .found = concat("a mistake at byte ", error.byte, " of ", text.size()),
                                   .hint = hint});
  } catch (const Json::exception&) {  // a number too large for any type
    throw Error(ErrorKind::kData,
                {.what = "a result has a number out of range", .where = where, .hint = hint});
  }
}

JsonObject::JsonObject(Json json, std::string where, std::string hint)
    : json_(std::move(json)), where_(std::move(where)), hint_(std::move(hint)) {
  if (!json_.is_object()) fail("", "an object", json_.type_name());
}

std::vector<std::string> JsonObject::keys() const {
  std::vector<std::string> keys;
  for (const auto& item : json_.items()) keys.push_back(item.key());
  return keys;
}

void JsonObject::expect_keys(const std::vector<std::string>& keys,
                             const std::vector<std::string>& others) const {
  const auto among = [](const std::vector<std::string>& list, const std::string& key) {
    return std::find(list.begin(), list.end(), key) != list.end();
  };
  for (const std::string& key : keys) at(key);
  for (const std::string& key : this->keys())
    if (!among(keys, key) && !among(others, key)) fail(key, "no such key", "it");
}

JsonObject JsonObject::object(const std::string& key) const {
  return JsonObject(at(key), where_ + ", " + key, hint_);
}

std::vector<JsonObject> JsonObject::objects(const std::string& key) const {
  const Json& array = at(key);
  if (!array.is_array()) fail(key, "an array", array.type_name());
  std::vector<JsonObject> objects;
  for (const Json& item : array)
    objects.push_back(JsonObject(item, concat(where_, ", ", key, " ", objects.size() + 1), hint_));
  return objects;
}

std::string JsonObject::text(const std::string& key) const {
  const Json& value = at(key);
  if (!value.is_string()) fail(key, "a string", value.type_name());
  return value.get<std::string>();
}

int64_t JsonObject::whole(const std::string& key, int64_t low, int64_t high) const {
  const Json& value = at(key);
  if (!value.is_number_integer()) fail(key, "a whole number", value.dump());
  const double number = value.get<double>();  // of an unsigned one too
  if (!(number >= static_cast<double>(low) && number <= static_cast<double>(high)))
    fail(key, concat(low, " to ", high), value.dump());
  return value.get<int64_t>();
}

double JsonObject::number(const std::string& key, double low, double high) const {
  const Json& value = at(key);
  if (!value.is_number()) fail(key, "a number", value.type_name());
  const double number = value.get<double>();
  if (!(number >= low && number <= high)) fail(key, concat(low, " to ", high), value.dump());
  return number;
}

void JsonObject::fail(const std::string& key, const std::string& expected, const std::string& found) const {
  throw Error(ErrorKind::kData, {.what = "a result is not as it should be",
                                 .where = key.empty() ? where_ : where_ + ", " + key,
                                 .expected = expected,
                                 .found = found,
                                 .hint = hint_});
}

const JsonObject::Json& JsonObject::at(const std::string& key) const {
  const auto it = json_.find(key);
  if (it == json_.end()) fail(key, "a value", "nothing");
  return *it;
}

}  // namespace qlimit
