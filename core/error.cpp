#include "core/error.h"

namespace qlimit {
namespace {

std::string one_line(const ErrorParts& parts) {
  std::string text = parts.what;
  if (!parts.where.empty()) text += ": " + parts.where;
  if (!parts.expected.empty()) text += ": expected " + parts.expected;
  if (!parts.found.empty()) text += (parts.expected.empty() ? ": found " : ", found ") + parts.found;
  if (!parts.hint.empty()) text += " (" + parts.hint + ")";
  // Names and contents from outside may hold anything; the message stays one line.
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7F') c = '?';
  }
  return text;
}

}  // namespace

Error::Error(ErrorKind kind, const ErrorParts& parts) : std::runtime_error(one_line(parts)), kind_(kind) {}

}  // namespace qlimit
