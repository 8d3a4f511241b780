#include "experiments/champion/nets.h"

#include <charconv>
#include <sstream>
#include <string>

#include "core/error.h"
#include "experiments/blocks.h"
#include "experiments/models.h"
#include "layers/dense.h"
#include "layers/global_average_pool.h"
#include "layers/max_pool2d.h"

namespace qlimit {
namespace {

constexpr int64_t kClasses = 10, kMostChannels = 1024;

// What the next word finds: the size of its input and where it stands, for a complaint.
struct Place {
  int64_t rows, columns, channels;
  int64_t word;  // counted from 1
};

[[noreturn]] void refuse(const Place& at, const std::string& word, const std::string& expected) {
  throw Error(ErrorKind::kUsage, {.what = "no such net",
                                  .where = concat("word ", at.word, " of it"),
                                  .expected = expected,
                                  .found = word});
}

// The n of "C16"; 0 if it is no such number.
int64_t channels_of(const std::string& word) {
  int64_t n = 0;
  const char* end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data() + 1, end, n);
  return error == std::errc{} && stop == end && n <= kMostChannels ? n : 0;
}

void add_pool(Sequential& model, Place& at) {
  if (at.rows < 2 || at.columns < 2)
    refuse(at, "P", concat("at least 2x2 pixels, not ", at.rows, "x", at.columns));
  model.add<MaxPool2D>(2);
  at.rows /= 2;
  at.columns /= 2;
}

void add_word(Sequential& model, const std::string& word, Place& at, Random& random) {
  if (word == "P") return add_pool(model, at);
  const int64_t n = channels_of(word);
  if (n < 1 || std::string_view("CDR").find(word[0]) == std::string_view::npos)
    refuse(at, word, concat("P, or C, D or R and 1 to ", kMostChannels, " channels, as in D24"));
  if (word[0] == 'R' && n != at.channels)
    refuse(at, word, concat("R", at.channels, ", the channels before it"));
  if (word[0] == 'C') add_conv_block(model, at.channels, n, /*use_bias=*/false, random);
  if (word[0] == 'D') add_separable(model, at.channels, n, random);
  if (word[0] == 'R') add_residual(model, n, random);
  at.channels = n;
}

}  // namespace

std::unique_ptr<Sequential> make_net(std::string_view text, const Shape& image, Random& random) {
  Place at{.rows = image[1], .columns = image[2], .channels = image[3], .word = 1};
  if (text == "standard") {
    if (image != Shape{1, 32, 32, 3})
      refuse(at, "standard", concat("a net for images of ", image.to_string()));
    return standard_cifar_model(random);
  }
  auto model = std::make_unique<Sequential>();
  std::istringstream words{std::string(text)};
  for (std::string word; words >> word; ++at.word) add_word(*model, word, at, random);
  model->add<GlobalAveragePool>();
  model->add<Dense>(at.channels, kClasses, /*use_bias=*/true, random);
  return model;
}

}  // namespace qlimit
