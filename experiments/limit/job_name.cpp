#include "experiments/limit/job_name.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

#include "core/error.h"

namespace qlimit {
namespace {

constexpr std::array<const char*, 4> kKinds = {"train", "quantize", "layers", "calibration"};
constexpr uint64_t kGreatest = 1'000'000'000;

bool has_method(JobKind kind) { return kind == JobKind::kQuantize || kind == JobKind::kCalibration; }

std::vector<std::string_view> parts_of(std::string_view text) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t slash = text.find('/');
    parts.push_back(text.substr(0, slash));
    if (slash == std::string_view::npos) return parts;
    text.remove_prefix(slash + 1);
  }
}

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

// "w8" for the letter 'w' is 8; no leading zeros, so that a job has one name.
std::optional<uint64_t> number_after(char letter, std::string_view text) {
  if (text.size() < 2 || text[0] != letter || (text[1] == '0' && text.size() > 2)) return std::nullopt;
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data() + 1, end, value);
  if (status != std::errc() || stop != end || value > kGreatest) return std::nullopt;
  return value;
}

std::optional<JobName> parsed(std::string_view text) {
  const std::vector<std::string_view> parts = parts_of(text);
  const auto kind = std::find(kKinds.begin(), kKinds.end(), parts.front());
  if (kind == kKinds.end()) return std::nullopt;
  JobName job{.kind = static_cast<JobKind>(kind - kKinds.begin()), .net = {}};
  if (parts.size() != (has_method(job.kind) ? 5u : 4u)) return std::nullopt;
  const std::optional<uint64_t> width = number_after('w', parts[2]);
  const std::optional<uint64_t> seed = number_after('s', parts[3]);
  if (!is_word(parts[1]) || !width || *width == 0 || !seed) return std::nullopt;
  job.net = {.shape = std::string(parts[1]), .width = static_cast<int64_t>(*width), .seed = *seed};
  if (!has_method(job.kind)) return job;
  if (!is_word(parts[4])) return std::nullopt;
  job.method = parts[4];
  return job;
}

}  // namespace

std::string to_string(const NetKey& net) { return concat(net.shape, "/w", net.width, "/s", net.seed); }

std::string to_string(const JobName& job) {
  const std::string name = concat(kKinds[static_cast<size_t>(job.kind)], "/", to_string(job.net));
  return has_method(job.kind) ? name + "/" + job.method : name;
}

JobName parse_job_name(std::string_view text) {
  if (const std::optional<JobName> job = parsed(text)) return *job;
  throw Error(ErrorKind::kUsage, {.what = "not the name of a job",
                                  .expected = "a name such as quantize/plain/w8/s1/min_max",
                                  .found = "'" + std::string(text) + "'"});
}

std::string file_stem(const JobName& job) {
  std::string stem = to_string(job);
  std::replace(stem.begin(), stem.end(), '/', '-');
  return stem;
}

}  // namespace qlimit
