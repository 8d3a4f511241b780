#include "experiments/limit/nets.h"

#include "core/error.h"
#include "experiments/blocks.h"
#include "layers/dense.h"
#include "layers/global_average_pool.h"
#include "layers/max_pool2d.h"

namespace qlimit {
namespace {

constexpr int64_t kClasses = 10;

void require_width(bool possible, const char* shape, const char* expected, int64_t width) {
  if (possible) return;
  throw Error(
      ErrorKind::kUsage,
      {.what = concat("no ", shape, " net has this width"), .expected = expected, .found = concat(width)});
}

}  // namespace

std::unique_ptr<Sequential> plain_model(int64_t width, Random& random, int64_t channels) {
  require_width(width >= 1, "plain", "at least 1", width);
  auto model = std::make_unique<Sequential>();  // 32x32
  add_conv_block(*model, channels, width, /*use_bias=*/true, random);
  model->add<MaxPool2D>(2);  // 16x16
  add_conv_block(*model, width, 2 * width, /*use_bias=*/true, random);
  model->add<MaxPool2D>(2);  // 8x8
  add_conv_block(*model, 2 * width, 3 * width, /*use_bias=*/true, random);
  model->add<MaxPool2D>(2);  // 4x4
  add_conv_block(*model, 3 * width, 3 * width, /*use_bias=*/true, random);
  model->add<GlobalAveragePool>();
  model->add<Dense>(3 * width, kClasses, /*use_bias=*/true, random);
  return model;
}

std::unique_ptr<Sequential> separable_model(int64_t width, Random& random, int64_t channels) {
  require_width(width >= 2 && width % 2 == 0, "separable", "an even number", width);
  auto model = std::make_unique<Sequential>();  // 32x32
  add_conv_block(*model, channels, width, /*use_bias=*/false, random);
  add_separable(*model, width, width / 2 * 3, random);
  model->add<MaxPool2D>(2);  // 16x16
  add_separable(*model, width / 2 * 3, 2 * width, random);
  add_residual(*model, 2 * width, random);
  model->add<MaxPool2D>(2);  // 8x8
  add_separable(*model, 2 * width, 3 * width, random);
  add_residual(*model, 3 * width, random);
  model->add<GlobalAveragePool>();
  model->add<Dense>(3 * width, kClasses, /*use_bias=*/true, random);
  return model;
}

const std::vector<NetFamily>& net_families() {
  static const std::vector<NetFamily> families = {
      {.name = "plain", .widths = {2, 3, 5, 8, 12, 20, 32, 48}, .make = plain_model},
      {.name = "separable", .widths = {4, 6, 10, 16, 24, 40, 72, 120}, .make = separable_model}};
  return families;
}

const NetFamily& net_family(std::string_view name) {
  for (const NetFamily& family : net_families())
    if (family.name == name) return family;
  throw Error(
      ErrorKind::kUsage,
      {.what = "no such shape of nets", .expected = "plain or separable", .found = std::string(name)});
}

}  // namespace qlimit
