#include "experiments/statistics.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"

namespace qlimit {
namespace {

void require(bool holds, const char* what, const std::string& found) {
  if (!holds) throw Error(ErrorKind::kUsage, {.what = what, .found = found});
}

// P(X = k) for X ~ Binomial(n, 1/2), by logarithms: the binomials overflow beyond n = 1029.
double fair_coin(int64_t n, int64_t k) {
  const auto log_factorial = [](int64_t m) { return std::lgamma(static_cast<double>(m) + 1); };
  const double log_choose = log_factorial(n) - log_factorial(k) - log_factorial(n - k);
  return std::exp(log_choose - static_cast<double>(n) * std::numbers::ln2);
}

// From 1 for the smallest on; equal values share the mean of their ranks.
std::vector<double> ranks(const std::vector<double>& values) {
  std::vector<double> ranks;
  for (const double x : values) {
    const auto less = std::count_if(values.begin(), values.end(), [&](double other) { return other < x; });
    const auto equal = std::count(values.begin(), values.end(), x);
    ranks.push_back(static_cast<double>(less) + static_cast<double>(equal + 1) / 2);
  }
  return ranks;
}

}  // namespace

double proportion_standard_error(double proportion, int64_t trials) {
  require(trials >= 1, "a proportion needs at least one trial", concat(trials));
  require(proportion >= 0 && proportion <= 1, "a proportion is outside [0,1]", concat(proportion));
  return std::sqrt(proportion * (1 - proportion) / static_cast<double>(trials));
}

double mean(const std::vector<double>& values) {
  require(!values.empty(), "the mean of no values", "none");
  double sum = 0;
  for (double x : values) sum += x;
  return sum / static_cast<double>(values.size());
}

double standard_deviation(const std::vector<double>& values) {
  require(values.size() >= 2, "a standard deviation needs at least two values", concat(values.size()));
  const double centre = mean(values);
  double squares = 0;
  for (double x : values) squares += (x - centre) * (x - centre);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

double student_cdf(double t, int64_t degrees) {
  require(degrees >= 1, "Student's distribution needs at least one degree of freedom", concat(degrees));
  const double theta = std::atan(t / std::sqrt(static_cast<double>(degrees)));
  const double cosine = std::cos(theta), sine = std::sin(theta);
  const bool odd = degrees % 2 == 1;
  // The sum over powers of the cosine, each term the previous one times cos^2 * (k-1)/k.
  double term = odd ? cosine : 1, sum = 0;
  for (int64_t k = odd ? 3 : 2; k <= degrees; k += 2) {
    sum += term;
    term *= cosine * cosine * static_cast<double>(k - 1) / static_cast<double>(k);
  }
  const double within = odd ? 2 / std::numbers::pi * (theta + sine * sum) : sine * sum;  // P(-t < T < t)
  return (1 + within) / 2;
}

double student_quantile(double probability, int64_t degrees) {
  require(probability >= 0.5 && probability < 1, "a quantile is wanted outside [0.5,1)", concat(probability));
  double low = 0, high = 1;
  while (student_cdf(high, degrees) < probability) high *= 2;
  for (int halving = 0; halving < 100; ++halving) {
    const double middle = (low + high) / 2;
    (student_cdf(middle, degrees) < probability ? low : high) = middle;
  }
  return (low + high) / 2;
}

Interval student_interval(const std::vector<double>& values, double confidence) {
  require(confidence > 0 && confidence < 1, "a confidence is outside (0,1)", concat(confidence));
  const auto n = static_cast<int64_t>(values.size());
  const double error = standard_deviation(values) / std::sqrt(static_cast<double>(n));
  const double reach = student_quantile((1 + confidence) / 2, n - 1) * error;
  return {mean(values) - reach, mean(values) + reach};
}

PairedCounts compare_outcomes(const std::vector<uint8_t>& first, const std::vector<uint8_t>& second) {
  require(first.size() == second.size(), "paired outcomes of different lengths",
          concat(first.size(), " and ", second.size()));
  PairedCounts counts{.total = static_cast<int64_t>(first.size())};
  for (size_t i = 0; i < first.size(); ++i) {
    if (first[i] && !second[i]) ++counts.only_first;
    if (!first[i] && second[i]) ++counts.only_second;
  }
  return counts;
}

double paired_difference(const PairedCounts& counts) {
  require(counts.total >= 1, "a paired difference needs at least one pair", concat(counts.total));
  return static_cast<double>(counts.only_second - counts.only_first) / static_cast<double>(counts.total);
}

double paired_standard_error(const PairedCounts& counts) {
  require(counts.total >= 1, "a paired difference needs at least one pair", concat(counts.total));
  const auto n = static_cast<double>(counts.total);
  const auto b = static_cast<double>(counts.only_first), c = static_cast<double>(counts.only_second);
  return std::sqrt(b + c - (b - c) * (b - c) / n) / n;
}

double mcnemar_exact_p(const PairedCounts& counts) {
  const int64_t n = counts.only_first + counts.only_second;
  const int64_t smaller = std::min(counts.only_first, counts.only_second);
  double tail = 0;
  for (int64_t k = 0; k <= smaller; ++k) tail += fair_coin(n, k);
  return std::min(1.0, 2 * tail);
}

double mcnemar_mid_p(const PairedCounts& counts) {
  if (counts.only_first == counts.only_second) return 1;
  const int64_t n = counts.only_first + counts.only_second;
  return mcnemar_exact_p(counts) - fair_coin(n, std::min(counts.only_first, counts.only_second));
}

std::optional<double> rank_correlation(const std::vector<double>& x, const std::vector<double>& y) {
  require(x.size() == y.size() && x.size() >= 2, "a rank correlation needs at least two pairs",
          concat(x.size(), " and ", y.size(), " values"));
  const std::vector<double> a = ranks(x), b = ranks(y);
  const double middle = mean(a);  // of any ranking of so many values
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - middle) * (b[i] - middle);
    aa += (a[i] - middle) * (a[i] - middle);
    bb += (b[i] - middle) * (b[i] - middle);
  }
  if (aa == 0 || bb == 0) return std::nullopt;
  return ab / std::sqrt(aa * bb);
}

double quantile(std::vector<double> values, double p) {
  require(!values.empty(), "a quantile of no values", "none");
  require(p >= 0 && p <= 1, "a quantile is wanted outside [0,1]", concat(p));
  std::sort(values.begin(), values.end());
  const double place = p * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

Spread spread(const std::vector<double>& values) {
  return {quantile(values, 0.5), quantile(values, 0.05), quantile(values, 0.95)};
}

}  // namespace qlimit
