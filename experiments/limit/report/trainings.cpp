#include "experiments/limit/report/trainings.h"

#include "experiments/limit/methods.h"

namespace qlimit {
namespace {

std::vector<std::string> methods_that_train(const StudySummary& summary) {
  std::vector<std::string> methods;
  for (const std::string& method : summary.methods())
    for (const Method& known : limit_methods())
      if (known.name == method && known.recipe.trains) methods.push_back(method);
  return methods;
}

bool was_trained(const StudySummary& summary, const NetSize& net) {
  for (const std::string& method : methods_that_train(summary))
    for (const BitWidths& bits : summary.points(method))
      if (!summary.drop(net, method, bits).empty()) return true;
  return false;
}

}  // namespace

std::vector<std::string> compared_with_trainings(const StudySummary& summary) {
  std::vector<std::string> methods = {kBaseline, "adaround"};
  for (const std::string& method : methods_that_train(summary)) methods.push_back(method);
  return methods;
}

std::set<BitWidths, std::greater<>> widths_of_trainings(const StudySummary& summary) {
  std::set<BitWidths, std::greater<>> widths;
  for (const std::string& method : methods_that_train(summary)) widths.merge(summary.points(method));
  return widths;
}

std::vector<NetSize> nets_with_trainings(const StudySummary& summary, const std::string& shape) {
  std::vector<NetSize> nets = summary.nets(shape);
  std::erase_if(nets, [&](const NetSize& net) { return !was_trained(summary, net); });
  return nets;
}

}  // namespace qlimit
