// How far a measured figure can be trusted: errors of proportions, intervals over seeds, McNemar's test for
// two models on the same images, rank correlation, quantiles of latencies. It does not decide what is good
// enough.
//
//   PairedCounts counts{.only_first = 7, .only_second = 1, .total = 21};
//   mcnemar_mid_p(counts);                       // 0.039: the two models differ
//   student_interval({73.8, 74.1, 73.5}, 0.95);  // {73.05, 74.55}
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace qlimit {

struct Interval {
  double low = 0;
  double high = 0;
};

/// The standard error sqrt(p*(1-p)/n) of a proportion p in [0,1] seen in n independent trials. Throws kUsage
/// if n < 1 or p is outside [0,1].
double proportion_standard_error(double proportion, int64_t trials);

/// Mean of at least one value, summed in order.
double mean(const std::vector<double>& values);

/// Sample standard deviation, sqrt(sum (x-mean)^2 / (n-1)), of at least two values.
double standard_deviation(const std::vector<double>& values);

/// P(T <= t) of Student's distribution with a whole number of degrees of freedom, at least 1: the finite sums
/// 26.7.3 and 26.7.4 of Abramowitz and Stegun, "Handbook of Mathematical Functions" (1964).
double student_cdf(double t, int64_t degrees);

/// The t with P(T <= t) = probability, for a probability in [0.5,1).
double student_quantile(double probability, int64_t degrees);

/// Of all intervals that are shown.
inline constexpr double kConfidence = 0.95;

/// The interval mean -+ t * s / sqrt(n) that holds the true mean with the given confidence (0.95, say) if the
/// values are normally distributed. Throws kUsage for fewer than two values.
Interval student_interval(const std::vector<double>& values, double confidence);

/// Two classifiers on the same images, reduced to what tells them apart.
struct PairedCounts {
  int64_t only_first = 0;   // images that only the first got right
  int64_t only_second = 0;  // images that only the second got right
  int64_t total = 0;        // all images
};

/// Counts over per-image outcomes (nonzero: right). Throws kUsage if the lengths differ.
PairedCounts compare_outcomes(const std::vector<uint8_t>& first, const std::vector<uint8_t>& second);

/// The share of the second minus that of the first, in [-1,1].
double paired_difference(const PairedCounts& counts);

/// Standard error of paired_difference: sqrt(b + c - (b-c)^2/n) / n (Agresti, "Categorical Data Analysis",
/// 2nd ed. 2002, equation 10.2).
double paired_standard_error(const PairedCounts& counts);

/// McNemar's test, exact and two-sided: under the null hypothesis the b + c images that tell the classifiers
/// apart fall to either side like a fair coin, so p = 2 * P(X <= min(b,c)), at most 1, for X ~ Binomial(b+c,
/// 1/2).
double mcnemar_exact_p(const PairedCounts& counts);

/// The mid-p version: the exact p less P(X = min(b,c)). The exact test is too cautious, and this one keeps to
/// its level without large-sample approximation, whatever the counts (Fagerland, Lydersen and Laake, "The
/// McNemar test for binary matched-pairs data", BMC Medical Research Methodology 13:91, 2013). 1 if b = c.
double mcnemar_mid_p(const PairedCounts& counts);

/// Spearman's rank correlation of pairs: the correlation of the ranks of x with those of y, where equal
/// values share the mean of their ranks (Kendall, "Rank Correlation Methods", 4th ed. 1970, chapters 1 and
/// 3). In
/// [-1,1]; nothing if all x or all y are equal. Throws kUsage for different lengths or fewer than two pairs.
std::optional<double> rank_correlation(const std::vector<double>& x, const std::vector<double>& y);

/// The value below which a share p in [0,1] of the values lies, with linear interpolation between the order
/// statistics (Hyndman and Fan, "Sample quantiles in statistical packages", 1996, definition 7).
double quantile(std::vector<double> values, double p);

/// Median and the range that holds nine tenths of the values: latencies have a long tail upwards, which a
/// deviation would blur and a maximum would leave to chance.
struct Spread {
  double median = 0;
  double low = 0;   // 5 % of the values are below
  double high = 0;  // 5 % are above
};
Spread spread(const std::vector<double>& values);

}  // namespace qlimit
