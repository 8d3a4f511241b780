// A model's state through an archive: everything comes back, and nothing half.

#include "layers/state.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "core/random.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

// A layer with one of everything that can be saved.
class Inner : public Layer {
 public:
  explicit Inner(uint64_t seed)
      : weight(add_parameter("weight", numbers({2, 3}, seed), true)),
        statistic(add_buffer("statistic", numbers({4}, seed + 1))),
        noise(add_random_stream("noise", Random(seed, "noise"))) {}
  Variable forward(const Variable& x) override { return x; }

  static Tensor<Real> numbers(Shape shape, uint64_t seed) {
    Random random(seed, "numbers");
    Tensor<Real> values(shape);
    for (Real& value : values) value = static_cast<Real>(random.normal());
    return values;
  }

  Variable weight;
  Tensor<Real> statistic;
  std::shared_ptr<Random> noise;
};

class Model : public Layer {
 public:
  explicit Model(uint64_t seed) : a(std::make_shared<Inner>(seed)), b(std::make_shared<Inner>(seed + 100)) {
    add_child("a", a);
    add_child("b", b);
  }
  Variable forward(const Variable& x) override { return x; }

  std::shared_ptr<Inner> a, b;
};

// All that training could see of a model.
std::vector<double> everything(const Model& model) {
  std::vector<double> all;
  for (const Inner* inner : {model.a.get(), model.b.get()}) {
    all.insert(all.end(), inner->weight.value().begin(), inner->weight.value().end());
    all.insert(all.end(), inner->statistic.begin(), inner->statistic.end());
    Random copy = *inner->noise;
    all.push_back(copy.uniform());
  }
  return all;
}

Archive saved(const Model& model) {
  Archive archive;
  archive.add("epoch", 3);
  save_state(model, archive);
  return Archive::parse(archive.to_bytes(), "model.qla");
}

// The archive without an entry, or with another value in its place.
Archive with(const Archive& original, const std::string& name, const Archive::Value* value) {
  Archive changed;
  for (const Archive::Entry& entry : original.entries()) {
    if (entry.name != name) {
      changed.add(entry.name, entry.value);
    } else if (value) {
      changed.add(name, *value);
    }
  }
  return Archive::parse(changed.to_bytes(), "model.qla");
}

TEST(ModelState, ComesBackWhole) {
  Model original(1), other(2);
  for (int i = 0; i < 7; ++i) original.b->noise->next();
  ASSERT_NE(everything(original), everything(other));
  load_state(other, saved(original));
  EXPECT_EQ(everything(original), everything(other));
  EXPECT_EQ(other.b->noise->state(), original.b->noise->state());
}

TEST(ModelState, HasTheNamesOfTheModel) {
  std::vector<std::string> names;
  const Archive archive = saved(Model(1));
  for (const Archive::Entry& entry : archive.entries()) names.push_back(entry.name);
  EXPECT_EQ(names, (std::vector<std::string>{"epoch", "model.a.weight", "model.b.weight", "model.a.statistic",
                                             "model.b.statistic", "model.a.noise", "model.b.noise"}));
}

TEST(ModelState, IsWrittenInPlace) {
  Model original(1), other(2);
  const Real* weight = other.a->weight.value().data();
  const Variable handle = other.a->weight;
  load_state(other, saved(original));
  EXPECT_EQ(other.a->weight.value().data(), weight);
  EXPECT_EQ(handle.value()[0], original.a->weight.value()[0]);
}

class ModelStateRefuses : public testing::Test {
 protected:
  // Loading `archive` fails with these words and leaves the model as it was.
  void expect_refused(const Archive& archive, const std::vector<std::string>& fragments) {
    Model model(2);
    const std::vector<double> before = everything(model);
    expect_error([&] { load_state(model, archive); }, ErrorKind::kData, fragments);
    EXPECT_EQ(everything(model), before);
  }

  void expect_refused_with(const std::string& name, Archive::Value value,
                           const std::vector<std::string>& fragments) {
    expect_refused(with(sound_, name, &value), fragments);
  }

  Archive sound_ = saved(Model(1));
};

TEST_F(ModelStateRefuses, MissingTensors) {
  for (const char* name : {"model.b.weight", "model.b.statistic", "model.b.noise"})
    expect_refused(with(sound_, name, nullptr), {"missing", "model.qla", name});
}

TEST_F(ModelStateRefuses, SuperfluousTensors) {
  Archive archive = sound_;
  archive.add("model.c.weight", Tensor<Real>({1}));
  expect_refused(archive, {"model.qla", "model.c.weight"});
}

TEST_F(ModelStateRefuses, OtherShapes) {
  expect_refused_with("model.b.weight", Tensor<Real>({3, 2}), {"model.b.weight", "[2,3]", "[3,2]"});
  expect_refused_with("model.b.statistic", Tensor<Real>({5}), {"model.b.statistic", "[4]", "[5]"});
  expect_refused_with("model.b.noise", Tensor<int64_t>({3}), {"model.b.noise", "[2]", "[3]"});
}

TEST_F(ModelStateRefuses, OtherTypes) {
  expect_refused_with("model.b.weight", Tensor<int32_t>({2, 3}), {"model.b.weight", "i32"});
  expect_refused_with("model.b.noise", Tensor<Real>({2}), {"model.b.noise", "i64"});
  expect_refused_with("model.a.statistic", std::string("hello"), {"model.a.statistic", "text"});
}

TEST_F(ModelStateRefuses, NumbersThatAreNone) {
  for (Real bad : {std::numeric_limits<Real>::quiet_NaN(), std::numeric_limits<Real>::infinity(),
                   -std::numeric_limits<Real>::infinity()}) {
    for (int64_t at : {0, 5}) {
      Tensor<Real> values({2, 3});
      values[at] = bad;
      expect_refused_with("model.b.weight", values,
                          {"model.b.weight", "not finite", at == 0 ? "element 0" : "element 5"});
    }
  }
}

}  // namespace
}  // namespace qlimit
