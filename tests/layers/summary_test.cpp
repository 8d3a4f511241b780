// The table of a model, against numbers computed by hand.

#include "layers/summary.h"

#include <gtest/gtest.h>

#include "layers/batch_norm2d.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/depthwise_conv2d.h"
#include "layers/dropout.h"
#include "layers/flatten.h"
#include "layers/max_pool2d.h"
#include "layers/relu.h"
#include "layers/residual.h"
#include "layers/sequential.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

void expect_rows(const Summary& summary, const std::vector<SummaryRow>& expected) {
  ASSERT_EQ(summary.rows.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    const SummaryRow& row = summary.rows[i];
    EXPECT_EQ(row.name, expected[i].name);
    EXPECT_EQ(row.output.to_string(), expected[i].output.to_string()) << row.name;
    EXPECT_EQ(row.parameters, expected[i].parameters) << row.name;
    EXPECT_EQ(row.multiply_adds, expected[i].multiply_adds) << row.name;
  }
}

TEST(Summary, OfASmallNet) {
  Random rng(1, "weights");
  Sequential model;
  model.add<Conv2D>(3, 8, Window{.kernel_h = 3, .kernel_w = 3}, false, rng)
      .add<BatchNorm2D>(8)
      .add<ReLU>()
      .add<MaxPool2D>(2)
      .add<DepthwiseConv2D>(8, 2, Window{.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2}, true,
                            rng)
      .add<Dropout>(0.5, Random(1, "dropout"))
      .add<Flatten>()
      .add<Dense>(144, 10, true, rng);
  const Summary summary = summarize(model, {1, 12, 12, 3});
  expect_rows(summary, {
                           {"input", {1, 12, 12, 3}, 0, 0},
                           {"conv2d_1", {1, 12, 12, 8}, 8 * 27, 12 * 12 * 8 * 27},
                           {"batch_norm_1", {1, 12, 12, 8}, 2 * 8, 0},
                           {"relu_1", {1, 12, 12, 8}, 0, 0},
                           {"max_pool2d_1", {1, 6, 6, 8}, 0, 0},
                           {"depthwise_conv2d_1", {1, 3, 3, 16}, 16 * 9 + 16, 3 * 3 * 16 * 9},
                           {"flatten_1", {1, 144}, 0, 0},
                           {"dense_1", {1, 10}, 144 * 10 + 10, 144 * 10},
                       });
  EXPECT_EQ(summary.parameters, 216 + 16 + 160 + 1450);
  EXPECT_EQ(summary.multiply_adds, 31104 + 1296 + 1440);
  EXPECT_TRUE(model.training());
}

TEST(Summary, CountsNamesAndSharedWeightsOnce) {
  Random rng(1, "weights");
  const auto shared = std::make_shared<Dense>(4, 4, true, rng);
  Sequential model;
  model.add<Residual>(shared).append(shared);
  expect_rows(summarize(model, {1, 4}), {{"input", {1, 4}, 0, 0},
                                         {"dense_1", {1, 4}, 20, 16},
                                         {"add_1", {1, 4}, 0, 0},
                                         {"dense_2", {1, 4}, 0, 16}});
  EXPECT_EQ(summarize(model, {1, 4}).parameters, 20);
}

TEST(Summary, PrintsATableWithTotals) {
  Random rng(1, "weights");
  Sequential model;
  model.add<Flatten>().add<Dense>(4096, 300, true, rng);
  const std::string rule(68, '-');
  EXPECT_EQ(summarize(model, {1, 64, 64, 1}).to_string(),
            "operation             output              parameters   multiply-adds\n" + rule +
                "\n"
                "input                 [-,64,64,1]                  0               0\n"
                "flatten_1             [-,4096]                     0               0\n"
                "dense_1               [-,300]              1,229,100       1,228,800\n" +
                rule +
                "\n"
                "total                                      1,229,100       1,228,800\n");
}

TEST(Summary, MisuseIsTold) {
  Sequential model;
  model.add<Flatten>();
  expect_error([&] { summarize(model, {2, 4, 4, 1}); }, ErrorKind::kUsage, {"one image", "[2,4,4,1]"});
  const TapeOff off;
  expect_error([&] { summarize(model, {1, 4, 4, 1}); }, ErrorKind::kUsage, {"tape is off"});
}

}  // namespace
}  // namespace qlimit
