// The figures in the page's sentences about what surprised; "–" where results are missing.
#pragma once

#include <string>

#include "experiments/limit/report/summary.h"

namespace qlimit {

/// The least and the greatest mean share, in percent, that a method recovers over shapes and groups of sizes
/// (recovery.h): "86 to 96 %". With a name in `beside`, only over those groups in which that method was
/// measured, too, so that the ranges of both can be compared.
std::string recovered_range(const StudySummary& summary, const std::string& method, const BitWidths& bits,
                            const std::string& beside = "");

/// How the drop of the baseline changes with the number of calibration images, on average over the nets that
/// were asked: "1.50 points with 10 images, 5.50 with 1,000".
std::string calibration_growth(const StudySummary& summary, const BitWidths& bits);

/// By how much the net of a shape that is nearest to 20,000 parameters is ahead with 4-bit weights of the one
/// nearest to 10,000 with 8 bits, in points: "4.00 (3.10 ... 4.90)".
std::string lead_of_the_larger_net(const StudySummary& summary, const std::string& shape,
                                   const std::string& method);

/// Mean rank correlation of damage and noise over the nets of a shape (sensitivity.h).
std::string noise_correlation_text(const StudySummary& summary, const std::string& shape);

}  // namespace qlimit
