// Does the jobs of a limit study and keeps what they found in a folder:
//
//   study.json                    which study it is; another one is refused
//   nets/plain-w8-s1.qla          trained nets
//   jobs/quantize-plain-w8-s1-min_max.json      one line for each finished job
//   results.jsonl                 all of them (experiments/limit/record.h)
//
// A job's file is written when the job is done, and as a whole. So a job is done or not, whatever was
// interrupted; several processes, on several machines with one folder, may work on it at once. If two do the
// same job, both write the same.
//
// Results of an earlier run can be taken over (`adopt`), so that a study can be done in several sittings, on
// several machines. What is missing of a net needs the net itself, which is trained again, and is the same
// bits on the same instruction set only: float sums run in another order on another. So a net of which
// something is missing is taken over only if it was trained with the instruction set in use.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "experiments/limit/jobs.h"
#include "experiments/limit/plan.h"
#include "experiments/limit/quantizer.h"
#include "experiments/limit/record.h"
#include "experiments/limit/trained_net.h"

namespace qlimit {

class StudyRunner {
 public:
  /// data: what --data said. Throws kUsage if the folder belongs to another study, kIo if it cannot be
  /// written.
  StudyRunner(StudyPlan plan, std::string data, std::filesystem::path output);
  ~StudyRunner();

  bool is_done(const JobName& job) const;
  /// Reads the data set, which otherwise waits for the first job. Throws what load_study_data throws.
  void read_data() { data(); }
  /// Does the job, and before it the training that it needs, unless they are done. Throws what goes wrong.
  void run(const JobName& job);

  /// Takes over the results of nets of which nothing is done here: of those that have every job of the list,
  /// and of those whose missing jobs can be done with the same net here (see above). What was taken over
  /// before an interruption counts as not done. Returns how many jobs. Throws kUsage for results of another
  /// study.
  size_t adopt(const LimitResults& results, const std::vector<Job>& jobs);
  /// Writes results.jsonl from all finished jobs of the list, in its order; returns how many there are.
  /// Throws kData for a job file that is damaged.
  size_t collect(const std::vector<Job>& jobs) const;
  std::filesystem::path results_path() const { return output_ / "results.jsonl"; }

 private:
  std::filesystem::path job_path(const JobName& job) const;
  std::filesystem::path net_path(const NetKey& net) const;
  const StudyData& data();
  Quantizer& quantizer(const NetKey& net);
  void require_net(const NetKey& net);

  TrainResult train(const NetKey& net);
  QuantizeResult quantize(const JobName& job);
  LayersResult narrow_each_layer(const NetKey& net);
  CalibrationResult calibrate_with_sizes(const JobName& job);

  StudyPlan plan_;
  std::string data_option_;
  std::filesystem::path output_;
  std::unique_ptr<StudyData> data_;
  std::unique_ptr<Quantizer> quantizer_;  // of the net that was last asked for
};

}  // namespace qlimit
