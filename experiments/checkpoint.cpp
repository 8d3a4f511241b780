#include "experiments/checkpoint.h"

#include <algorithm>

#include "core/archive.h"
#include "core/error.h"
#include "layers/state.h"
#include "optim/state.h"

namespace qlimit {
namespace {

constexpr const char* kKind = "qlimit training checkpoint, version 1";
constexpr int64_t kRecordFields = 4;

Tensor<double> pack(const std::vector<EpochRecord>& history) {
  Tensor<double> table({static_cast<int64_t>(history.size()), kRecordFields});
  for (int64_t i = 0; i < table.dim(0); ++i) {
    const EpochRecord& r = history[static_cast<size_t>(i)];
    const double row[] = {r.train_loss, r.train_accuracy, r.evaluation_accuracy, r.learning_rate};
    std::copy_n(row, kRecordFields, table.data() + i * kRecordFields);
  }
  return table;
}

std::vector<EpochRecord> unpack(const Tensor<double>& table) {
  std::vector<EpochRecord> history;
  for (int64_t i = 0; i < table.dim(0); ++i) {
    const double* row = table.data() + i * kRecordFields;
    history.push_back({.train_loss = row[0],
                       .train_accuracy = row[1],
                       .evaluation_accuracy = row[2],
                       .learning_rate = row[3]});
  }
  return history;
}

// Says no to a checkpoint.
struct Refusal {
  std::string where, hint;

  [[noreturn]] void operator()(const std::string& what, const std::string& expected,
                               const std::string& found) const {
    throw Error(ErrorKind::kData,
                {.what = what, .where = where, .expected = expected, .found = found, .hint = hint});
  }
};

void require_same_settings(const SettingsList& settings, const Archive& archive, const Refusal& refuse) {
  const std::string prefix = "settings.";
  const auto refuse_other = [&](const std::string& expected, const std::string& found) {
    refuse("the checkpoint was made with other settings", expected, found);
  };
  for (const auto& [name, value] : settings) {
    const std::string stored = archive.contains(prefix + name) ? archive.text(prefix + name) : "none";
    if (stored != value) refuse_other(name + " " + value, stored);
  }
  for (const Archive::Entry& entry : archive.entries()) {
    if (!entry.name.starts_with(prefix)) continue;
    const std::string name = entry.name.substr(prefix.size());
    const bool known = std::any_of(settings.begin(), settings.end(),
                                   [&](const auto& setting) { return setting.first == name; });
    if (!known) refuse_other(concat("no ", name), archive.text(entry.name));
  }
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, Training& training, const WeightAverage* average) {
  Archive archive;
  archive.add("kind", kKind);
  for (const auto& [name, value] : training.identity())
    archive.add("settings." + name, Archive::Value(value));
  archive.add("history", pack(training.history()));
  save_state(training.model(), archive);
  save_state(training.optimizer(), archive);
  if (average) save_state(*average, archive);
  archive.save(path);
}

void load_checkpoint(const std::filesystem::path& path, Training& training, WeightAverage* average,
                     const std::string& hint) {
  const Archive archive = Archive::load(path);
  const Refusal refuse{.where = archive.where(), .hint = hint};
  if (archive.text("kind") != kKind) refuse("not a checkpoint of this version", kKind, archive.text("kind"));
  require_same_settings(training.identity(), archive, refuse);

  const Tensor<double>& history = archive.tensor<double>("history");
  if (history.rank() != 2 || history.dim(1) != kRecordFields || history.dim(0) > training.settings().epochs)
    refuse("the history has the wrong shape", "", history.shape().to_string());
  load_state(training.model(), archive);
  load_state(training.optimizer(), archive);
  if (average) load_state(*average, archive);
  const int64_t steps = history.dim(0) * training.steps_per_epoch();
  if (training.optimizer().steps() != steps)
    refuse("steps and epochs do not agree", concat(steps, " steps"), concat(training.optimizer().steps()));
  training.set_history(unpack(history));
}

}  // namespace qlimit
