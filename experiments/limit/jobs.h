// The limit study as a list of jobs, each of which can be done alone, on any machine, in any order.
//
//   const std::vector<Job> jobs = study_jobs(study_plan("full"));
//   jobs[0].name                 // train/plain/w2/s1
//   jobs[0].seconds              // about how long it takes
//
// Trainings stand first, then what needs them; within both, all that belongs to one seed comes before the
// next seed, so that a study that is stopped early has whole seeds.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "experiments/limit/job_name.h"
#include "experiments/limit/plan.h"

namespace qlimit {

struct Job {
  JobName name;
  double seconds = 0;  // estimated, on the two cores that the plan is made for; good for proportions only
};

std::vector<Job> study_jobs(const StudyPlan& plan);

/// Consecutive places of a list, counted from 0.
struct JobRange {
  size_t begin = 0;
  size_t end = 0;  // the first that does not belong to it
};

/// Jobs that one process does best: a training, or all that is measured on one net, which is read and
/// calibrated once. The trainings have to be done before the others begin, or nets are trained twice.
struct JobPart {
  bool trains = false;
  JobRange range;
};

std::vector<JobPart> study_parts(const std::vector<Job>& jobs);

/// What --job says: a number from 1 on, or a name. Throws kUsage if there is no such job.
JobRange one_job(const std::vector<Job>& jobs, std::string_view text);
/// What --jobs says: "3-17", both included, counted from 1. Throws kUsage for anything else.
JobRange job_range(const std::vector<Job>& jobs, std::string_view text);

}  // namespace qlimit
