#include "experiments/limit/runner.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/kernels/isa.h"
#include "experiments/limit/layer_sensitivity.h"
#include "experiments/limit/quantized_training.h"
#include "layers/summary.h"
#include "quant/cost.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxLineBytes = 1 << 20;

// The content of a file of one line, without its end.
std::string line_of(const fs::path& path) {
  const std::vector<uint8_t> bytes = read_file(path, kMaxLineBytes);
  std::string line(bytes.begin(), bytes.end());
  if (!line.empty() && line.back() == '\n') line.pop_back();
  return line;
}

void claim_folder(const fs::path& output, const StudyHeader& header) {
  for (const char* folder : {"jobs", "nets"}) ensure_writable_folder(output / folder);
  const fs::path path = output / "study.json";
  if (!fs::exists(path)) write_file(path, to_line(header) + "\n");
  const StudyHeader found = parse_header(line_of(path), path.string());
  if (found == header) return;
  throw Error(ErrorKind::kUsage, {.what = "the output folder belongs to another study",
                                  .where = path.string(),
                                  .expected = header.preset,
                                  .found = found.preset,
                                  .hint = "choose another folder with --output"});
}

// Whether this machine would make the same net of it.
bool can_train_again(const Record& training) {
  const TrainResult* result = std::get_if<TrainResult>(&training.result);
  return result != nullptr && result->instruction_set == isa_name(active_isa());
}

// Whether a method's results say the bytes (record.h).
bool says_bytes(const Method& method) { return method.name == "min_max" || method.recipe.mixes_widths; }

}  // namespace

StudyRunner::StudyRunner(StudyPlan plan, std::string data, fs::path output)
    : plan_(std::move(plan)), data_option_(std::move(data)), output_(std::move(output)) {
  claim_folder(output_, plan_.header());
}

StudyRunner::~StudyRunner() = default;

bool StudyRunner::is_done(const JobName& job) const { return fs::exists(job_path(job)); }

size_t StudyRunner::adopt(const LimitResults& results, const std::vector<Job>& jobs) {
  if (results.header != plan_.header()) {
    throw Error(ErrorKind::kUsage, {.what = "the results belong to another study",
                                    .expected = to_line(plan_.header()),
                                    .found = to_line(results.header)});
  }
  std::map<JobName, const Record*> known;
  for (const Record& record : results.records) known[record.job] = &record;
  std::map<NetKey, std::vector<const Job*>> nets;
  for (const Job& job : jobs) nets[job.name.net].push_back(&job);
  size_t count = 0;
  for (const auto& [net, its_jobs] : nets) {
    const auto training = known.find({.kind = JobKind::kTrain, .net = net});
    const bool complete = std::all_of(its_jobs.begin(), its_jobs.end(),
                                      [&](const Job* job) { return known.contains(job->name); });
    const auto is_ours = [&](const Job* job) {  // done here, and not taken over from these results before
      const auto found = known.find(job->name);
      return is_done(job->name) &&
             (found == known.end() || line_of(job_path(job->name)) != to_line(*found->second));
    };
    const bool begun = std::any_of(its_jobs.begin(), its_jobs.end(), is_ours);
    if (begun || training == known.end() || !(complete || can_train_again(*training->second))) continue;
    for (const Job* job : its_jobs) {
      const auto found = known.find(job->name);
      if (found == known.end() || is_done(job->name)) continue;
      write_file(job_path(job->name), to_line(*found->second) + "\n");
      ++count;
    }
  }
  return count;
}

void StudyRunner::run(const JobName& job) {
  if (is_done(job)) return;
  Record record{.job = job, .result = {}};
  switch (job.kind) {
    case JobKind::kTrain:
      record.result = train(job.net);
      break;
    case JobKind::kQuantize:
      record.result = quantize(job);
      break;
    case JobKind::kLayers:
      record.result = narrow_each_layer(job.net);
      break;
    case JobKind::kCalibration:
      record.result = calibrate_with_sizes(job);
      break;
  }
  write_file(job_path(job), to_line(record) + "\n");
}

size_t StudyRunner::collect(const std::vector<Job>& jobs) const {
  std::string text = to_line(plan_.header()) + "\n";
  size_t count = 0;
  for (const Job& job : jobs) {
    if (!is_done(job.name)) continue;
    const fs::path path = job_path(job.name);
    const Record record = parse_record(line_of(path), plan_.header(), path.string());
    if (record.job != job.name) {
      throw Error(ErrorKind::kData, {.what = "the file holds another job's result",
                                     .where = path.string(),
                                     .found = to_string(record.job)});
    }
    text += to_line(record) + "\n";
    ++count;
  }
  write_file(results_path(), text);
  return count;
}

fs::path StudyRunner::job_path(const JobName& job) const {
  return output_ / "jobs" / (file_stem(job) + ".json");
}

fs::path StudyRunner::net_path(const NetKey& net) const {
  std::string name = file_stem({.kind = JobKind::kTrain, .net = net});
  return output_ / "nets" / (name.substr(name.find('-') + 1) + ".qla");
}

const StudyData& StudyRunner::data() {
  if (!data_) data_ = std::make_unique<StudyData>(load_study_data(plan_, data_option_));
  return *data_;
}

// A net may have been trained elsewhere, or its archive be lost. Then it is trained again, and must be the
// same.
void StudyRunner::require_net(const NetKey& net) {
  const JobName job{.kind = JobKind::kTrain, .net = net};
  if (!is_done(job)) return run(job);
  if (fs::exists(net_path(net))) return;
  const fs::path path = job_path(job);
  const Record known = parse_record(line_of(path), plan_.header(), path.string());
  const TrainResult* before = std::get_if<TrainResult>(&known.result);
  const std::string hint = "remove all results of this net to do it anew";
  if (!can_train_again(known)) {
    throw Error(ErrorKind::kData, {.what = "a net is lost, and would be another one if trained again here",
                                   .where = path.string(),
                                   .expected = before ? before->instruction_set : "a training",
                                   .found = isa_name(active_isa()),
                                   .hint = concat("set QLIMIT_ISA to what is expected, or ", hint)});
  }
  const int64_t again = train(net).fp32;
  if (before->fp32 == again) return;
  fs::remove(net_path(net));
  throw Error(ErrorKind::kData, {.what = "a net was trained again, and is another one",
                                 .where = path.string(),
                                 .expected = concat(before->fp32, " right answers"),
                                 .found = concat(again),
                                 .hint = hint});
}

Quantizer& StudyRunner::quantizer(const NetKey& net) {
  if (quantizer_ && quantizer_->net().key == net) return *quantizer_;
  require_net(net);
  quantizer_ =
      std::make_unique<Quantizer>(load_net(net_path(net), plan_, net), data(), plan_.calibration_images);
  return *quantizer_;
}

TrainResult StudyRunner::train(const NetKey& key) {
  TrainedNet net = new_net(plan_, key);
  const Summary summary = summarize(*net.model, net.image);
  const double seconds = qlimit::train(net, plan_, data());
  save_net(net_path(key), net);
  return {.parameters = summary.parameters,
          .multiply_adds = summary.multiply_adds,
          .epochs = planned_net(plan_, key).epochs,
          .fp32 = Quantizer(std::move(net), data(), 1).count_correct_fp32(),
          .seconds = seconds,
          .instruction_set = isa_name(active_isa())};
}

QuantizeResult StudyRunner::quantize(const JobName& job) {
  const Method& method = limit_method(job.method);
  Quantizer& quantizer = this->quantizer(job.net);
  QuantizeResult result;
  for (const BitWidths& bits : planned_points(plan_, method.points)) {
    const QuantizedGraph q = method.recipe.trains
                                 ? train_quantized(quantizer.net(), plan_, data(),
                                                   quantizer.calibration_images(), method.recipe, bits)
                                 : quantizer.quantize(method.recipe, bits);
    result.correct[bits] = quantizer.count_correct(q);
    if (says_bytes(method)) result.bytes[bits.weights] = total_cost(q).constant_bytes;
  }
  return result;
}

LayersResult StudyRunner::narrow_each_layer(const NetKey& net) {
  return qlimit::narrow_each_layer(quantizer(net), plan_.layer_bits);
}

CalibrationResult StudyRunner::calibrate_with_sizes(const JobName& job) {
  require_net(job.net);
  CalibrationResult result;
  for (const int64_t images : plan_.calibration_sizes) {
    Quantizer quantizer(load_net(net_path(job.net), plan_, job.net), data(), images);
    for (const BitWidths& bits : plan_.calibration_points) {
      const QuantizedGraph q = quantizer.quantize(limit_method(job.method).recipe, bits);
      result.correct[images][bits] = quantizer.count_correct(q);
    }
  }
  return result;
}

}  // namespace qlimit
