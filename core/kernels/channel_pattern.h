// Per-channel values repeated past the last channel, for kernels that read whole blocks of them
// (vector/channel.h).
#pragma once

#include <vector>

#include "core/kernels/channel.h"
#include "core/kernels/table.h"

namespace qlimit {

class ChannelPattern {
 public:
  explicit ChannelPattern(const std::vector<double>& values) {
    constexpr size_t kLongestBlock = 64;
    pattern_.resize(values.size() + kLongestBlock);
    for (size_t i = 0; i < pattern_.size(); ++i) pattern_[i] = static_cast<Real>(values[i % values.size()]);
  }
  const Real* data() const { return pattern_.data(); }

 private:
  std::vector<Real> pattern_;
};

class MapPattern {
 public:
  explicit MapPattern(const ChannelMap& map)
      : scale_(map.scale), shift_(map.shift), low_(map.low), high_(map.high) {}
  ChannelMapping mapping() const { return {scale_.data(), shift_.data(), low_, high_}; }

 private:
  ChannelPattern scale_, shift_;
  Real low_, high_;
};

class MapGradientPattern {
 public:
  explicit MapGradientPattern(const ChannelMapGradient& gradient)
      : upstream_scale_(gradient.upstream_scale), x_scale_(gradient.x_scale), shift_(gradient.shift) {}
  ChannelMappingGradient mapping() const { return {upstream_scale_.data(), x_scale_.data(), shift_.data()}; }

 private:
  ChannelPattern upstream_scale_, x_scale_, shift_;
};

}  // namespace qlimit
