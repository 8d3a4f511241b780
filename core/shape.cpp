#include "core/shape.h"

#include "core/error.h"

namespace qlimit {

Shape::Shape(std::span<const int64_t> dims) {
  if (dims.size() > kMaxRank) {
    throw Error(ErrorKind::kUsage, {.what = "a tensor has too many dimensions",
                                    .expected = concat("at most ", kMaxRank),
                                    .found = concat(dims.size())});
  }
  for (int64_t dim : dims) {
    if (dim < 0 || (dim > 0 && size_ > kMaxElements / dim)) {
      throw Error(ErrorKind::kUsage,
                  {.what = "a tensor dimension is negative or far too large", .found = concat(dim)});
    }
    dims_[rank_++] = dim;
    size_ *= dim;
  }
}

int64_t Shape::operator[](int i) const {
  const int at = i < 0 ? rank_ + i : i;
  if (at < 0 || at >= rank_) {
    throw Error(ErrorKind::kUsage, {.what = "no such dimension",
                                    .where = to_string(),
                                    .expected = concat("below ", rank_),
                                    .found = concat(i)});
  }
  return dims_[at];
}

std::string Shape::to_string() const {
  std::ostringstream text;
  text << '[';
  for (int i = 0; i < rank_; ++i) text << (i ? "," : "") << dims_[i];
  text << ']';
  return text.str();
}

}  // namespace qlimit
