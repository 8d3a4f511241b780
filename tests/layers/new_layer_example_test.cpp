// The README's example of a new layer, compiled and checked; the last test holds the README to this text.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "layers/layer.h"
#include "layers/require.h"
#include "tests/layers/gradient_check.h"

namespace qlimit {
namespace {

//> new_layer
/// y[..., c] = scale[c] * x[..., c]: a learned factor for each channel. x: [N,H,W,C], scale: [C].
Variable scale_channels(const Variable& x, const Variable& scale) {
  const int64_t channels = scale.shape().size();
  require_shape(x.shape().rank() == 4 && x.shape()[3] == channels, "scale_channels",
                concat("[N,H,W,", channels, "]"), x.shape());
  Tensor<Real> y = Tensor<Real>::uninitialized(x.shape());
  for (int64_t i = 0; i < y.size(); ++i) y[i] = scale.value()[i % channels] * x.value()[i];
  return record(std::move(y), {.name = "scale_channels"}, {x, scale}, [=](const Tensor<Real>& upstream) {
    Tensor<Real> dx(x.shape()), dscale(scale.shape());
    for (int64_t i = 0; i < dx.size(); ++i) {
      dx[i] = scale.value()[i % channels] * upstream[i];
      dscale[i % channels] += x.value()[i] * upstream[i];
    }
    if (x.wants_grad()) x.add_grad(dx);
    if (scale.wants_grad()) scale.add_grad(dscale);
  });
}

class ScaleChannels : public Layer {
 public:
  explicit ScaleChannels(int64_t channels)
      : scale_(add_parameter("scale", Tensor<Real>::full({channels}, 1), /*decays=*/false)) {}
  Variable forward(const Variable& x) override { return scale_channels(x, scale_); }

 private:
  Variable scale_;
};
//< new_layer

//> new_layer_test
TEST(ScaleChannels, Gradient) {
  Random rng(1, "scale channels");
  EXPECT_TRUE(gradients_agree([](const auto& in) { return scale_channels(in[0], in[1]); },
                              {random_tensor({2, 3, 3, 4}, rng), random_tensor({4}, rng)}, rng));
}
//< new_layer_test

TEST(ScaleChannels, IsFoundByThoseWhoSaveAndTrain) {
  ScaleChannels layer(4);
  ASSERT_EQ(layer.parameters().size(), 1u);
  EXPECT_EQ(layer.parameters()[0].name, "scale");
  EXPECT_EQ(layer(Variable::constant(Tensor<Real>::full({1, 1, 1, 4}, 3))).value()[2], 3);
}

std::string read(const std::string& path) {
  std::ifstream file(std::string(QLIMIT_SOURCE_DIR) + "/" + path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The text between "//> name" and "//< name" of this file.
std::string region(const std::string& name) {
  const std::string source = read("tests/layers/new_layer_example_test.cpp");
  const size_t begin = source.find("//> " + name + "\n"), end = source.find("//< " + name + "\n");
  if (begin == std::string::npos || end == std::string::npos) return "no such region: " + name;
  const size_t first = source.find('\n', begin) + 1;
  return source.substr(first, end - first);
}

TEST(Readme, ShowsTheExampleThatIsTested) {
  const std::string readme = read("README.md");
  for (const char* name : {"new_layer", "new_layer_test"}) {
    EXPECT_NE(readme.find("```cpp\n" + region(name) + "```"), std::string::npos)
        << "README.md must quote the region " << name << " of new_layer_example_test.cpp word for word";
  }
}

}  // namespace
}  // namespace qlimit
