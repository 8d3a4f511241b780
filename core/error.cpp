#include "core/error.h"

namespace qlimit {
namespace {

std::string one_line(const ErrorParts& parts) {
  std::string text = parts.what;
  if (!parts.where.empty()) text += ": " + parts.where;
  if (!parts.expected.empty()) text += ": expected " + parts.expected;
  if (!parts.found.empty()) text += (parts.expected.empty() ? ": found " : ", found ") + parts.found;
  if (!parts.hint.empty()) text += " (" + parts.hint + ")";
  return text;
}

}  // namespace

Error::Error(ErrorKind kind, const ErrorParts& parts) : std::runtime_error(one_line(parts)), kind_(kind) {}

}  // namespace qlimit
