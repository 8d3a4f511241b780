#include "experiments/limit/report/coverage.h"

#include <algorithm>
#include <set>

#include "experiments/limit/jobs.h"
#include "experiments/limit/methods.h"
#include "experiments/limit/nets.h"
#include "experiments/limit/report/markdown.h"
#include "experiments/text_table.h"

namespace qlimit {
namespace {

// Things of one kind, "the seed 4" or "the seeds 4, 5".
class Missing {
 public:
  explicit Missing(std::string kind) : kind_(std::move(kind)) {}

  void add(const std::string& name) {
    names_ += (count_ == 0 ? "" : ", ") + name;
    ++count_;
  }
  void append_to(std::string& list) const {
    if (count_ > 0) list += concat(list.empty() ? "" : ", ", "the ", kind_, count_ > 1 ? "s " : " ", names_);
  }

 private:
  std::string kind_, names_;
  size_t count_ = 0;
};

// The widths of a family that were measured, but not with this method, although other nets were.
Missing missing_widths(const StudySummary& summary, const StudyPlan& plan, const Method& method,
                       const NetFamily& family) {
  Missing widths(concat("method ", code(method.name), " for the ", family.name, " width"));
  const auto& known = summary.methods();
  if (std::find(known.begin(), known.end(), method.name) == known.end()) return widths;
  const std::vector<BitWidths> points = planned_points(plan, method.points);
  for (const NetSize& net : summary.nets(family.name)) {
    const bool planned =
        !method.recipe.trains || planned_net(plan, {family.name, net.width, 0}).trains_quantized;
    const auto measured = [&](const BitWidths& bits) {
      return !summary.drop(net, method.name, bits).empty();
    };
    if (planned && !points.empty() && std::none_of(points.begin(), points.end(), measured))
      widths.add(concat(net.width));
  }
  return widths;
}

std::string missing_text(const StudySummary& summary, const StudyPlan& plan) {
  std::string list;
  Missing seeds("seed");
  for (const uint64_t seed : plan.seeds)
    if (!summary.seeds().contains(seed)) seeds.add(concat(seed));
  seeds.append_to(list);
  for (const NetFamily& family : net_families()) {
    const std::vector<NetSize> known = summary.nets(family.name);
    Missing widths(family.name + " width");
    for (const PlannedNet& net : plan.nets) {
      const auto same = [&](const NetSize& size) { return size.width == net.width; };
      if (net.shape == family.name && std::none_of(known.begin(), known.end(), same))
        widths.add(concat(net.width));
    }
    widths.append_to(list);
  }
  Missing methods("method");
  for (const Method& method : limit_methods()) {
    const auto& known = summary.methods();
    const bool planned = !planned_points(plan, method.points).empty();
    if (planned && std::find(known.begin(), known.end(), method.name) == known.end())
      methods.add(code(method.name));
  }
  methods.append_to(list);
  for (const Method& method : limit_methods())
    for (const NetFamily& family : net_families())
      missing_widths(summary, plan, method, family).append_to(list);
  return list;
}

}  // namespace

std::string coverage_text(const StudySummary& summary) {
  const StudyPlan plan = study_plan(summary.header().preset);
  const size_t planned = study_jobs(plan).size();
  const std::string all = thousands(static_cast<int64_t>(planned));
  if (summary.jobs() == planned) return concat("all ", all, " jobs of it are in the results");
  const std::string missing = missing_text(summary, plan);
  return concat(thousands(static_cast<int64_t>(summary.jobs())), " of its ", all,
                " jobs are in the results so far",
                missing.empty() ? "" : "; there is nothing yet of " + missing);
}

std::string trained_on_text(const StudySummary& summary) {
  std::set<std::string> all;
  bool one_for_each_size = true;
  for (const NetSize& net : summary.nets()) {
    const std::set<std::string> sets = summary.instruction_sets(net);
    one_for_each_size = one_for_each_size && sets.size() == 1;
    all.insert(sets.begin(), sets.end());
  }
  std::string list;
  for (const std::string& name : all) list += concat(list.empty() ? "" : ", ", code(name));
  if (all.size() <= 1) return concat("All trainings ran on ", list.empty() ? kUnknown : list);
  return concat("Trainings ran on ", list, one_for_each_size ? ", all those of a size on the same" : "");
}

}  // namespace qlimit
