// Results of the limit study from arbitrary text: an Error of kind kData, or results that are written as they
// were read.

#include <cstdlib>
#include <string>

#include "core/error.h"
#include "experiments/limit/record.h"

namespace {

using namespace qlimit;

std::string text_of(const LimitResults& results) {
  std::string text = to_line(results.header) + "\n";
  for (const Record& record : results.records) text += to_line(record) + "\n";
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::string once;
  try {
    once = text_of(parse_limit_results(input, "fuzz"));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kData) std::abort();
    return 0;
  }
  if (text_of(parse_limit_results(once, "once more")) != once) std::abort();
  return 0;
}
