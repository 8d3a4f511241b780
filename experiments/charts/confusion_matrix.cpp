#include "experiments/charts/confusion_matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "experiments/charts/axes.h"

namespace qlimit {
namespace {

constexpr size_t kMaxClasses = 20;
constexpr double kCell = 84;

void check(const ConfusionMatrix& matrix) {
  const size_t classes = matrix.class_names.size();
  if (classes < 1 || classes > kMaxClasses || matrix.counts.size() != classes * classes) {
    throw Error(ErrorKind::kUsage,
                {.what = "confusion matrix has the wrong size",
                 .where = matrix.title,
                 .expected = concat("1 to ", kMaxClasses, " classes and the square of that many counts"),
                 .found = concat(classes, " classes and ", matrix.counts.size(), " counts")});
  }
  const auto negative =
      std::find_if(matrix.counts.begin(), matrix.counts.end(), [](int64_t n) { return n < 0; });
  if (negative != matrix.counts.end()) {
    throw Error(
        ErrorKind::kUsage,
        {.what = "confusion matrix has a negative count", .where = matrix.title, .found = concat(*negative)});
  }
}

int64_t row_sum(const ConfusionMatrix& matrix, size_t truth) {
  int64_t sum = 0;
  for (size_t k = 0; k < matrix.class_names.size(); ++k) {
    sum += matrix.counts[truth * matrix.class_names.size() + k];
  }
  return sum;
}

double share(const ConfusionMatrix& matrix, size_t truth, size_t prediction) {
  const auto count = static_cast<double>(matrix.counts[truth * matrix.class_names.size() + prediction]);
  const auto all = static_cast<double>(row_sum(matrix, truth));
  return all > 0 ? count / all : 0;
}

double largest_mistake(const ConfusionMatrix& matrix) {
  double largest = 0;
  for (size_t truth = 0; truth < matrix.class_names.size(); ++truth) {
    for (size_t k = 0; k < matrix.class_names.size(); ++k) {
      if (k != truth) largest = std::max(largest, share(matrix, truth, k));
    }
  }
  return largest;
}

// Mistakes are shown relative to the largest one: 1 % may be all there is to see on MNIST.
Color cell_color(const ConfusionMatrix& matrix, size_t truth, size_t prediction, double largest) {
  const double part = share(matrix, truth, prediction);
  if (truth == prediction) return mix(kWhite, kBlue, 0.15 + 0.85 * part);
  return part > 0 ? mix(kWhite, rgb(0xE69F00), 0.06 + 0.84 * part / largest) : rgb(0xFAFAFA);
}

std::string percent(double fraction) {
  return std::isnan(fraction) ? "–" : fmt::format("{:.1f} %", 100 * fraction);
}

// The largest letters, from `size` down, with which the text is at most `width` pixels wide.
double fitting_size(const std::string& text, double size, double width) {
  const double taken = Canvas::text_box({}, text, {.size = size}).width();
  return taken <= width ? size : size * width / taken;
}

void draw_cells(Canvas& canvas, const ConfusionMatrix& matrix, Point corner) {
  const size_t classes = matrix.class_names.size();
  const double largest = largest_mistake(matrix);
  for (size_t truth = 0; truth < classes; ++truth) {
    for (size_t prediction = 0; prediction < classes; ++prediction) {
      const double left = corner.x + static_cast<double>(prediction) * kCell;
      const double top = corner.y + static_cast<double>(truth) * kCell;
      const Box cell = Box{left, top, left + kCell, top + kCell}.expanded(-1.5);
      const Color color = cell_color(matrix, truth, prediction, largest);
      canvas.fill_rectangle(cell, color);
      const int64_t count = matrix.counts[truth * classes + prediction];
      const std::string text = std::to_string(count);
      const Color ink = is_dark(color) ? kWhite : count == 0 ? rgb(0xB8BCC0) : kInk;
      canvas.text(cell.center(), text,
                  {.size = fitting_size(text, 25, kCell - 12),
                   .color = ink,
                   .bold = truth == prediction,
                   .horizontal = Align::kMiddle});
    }
  }
}

// Class names above the columns, turned if one is too long to stand level.
void draw_column_names(Canvas& canvas, const ConfusionMatrix& matrix, Point corner, bool upwards) {
  for (size_t k = 0; k < matrix.class_names.size(); ++k) {
    const double x = corner.x + (static_cast<double>(k) + 0.5) * kCell;
    canvas.text({x, corner.y - 12}, matrix.class_names[k],
                {.size = kLabelSize,
                 .horizontal = upwards ? Align::kStart : Align::kMiddle,
                 .vertical = upwards ? Align::kMiddle : Align::kEnd,
                 .upwards = upwards});
  }
}

void draw_rows(Canvas& canvas, const ConfusionMatrix& matrix, Point corner) {
  const double right = corner.x + static_cast<double>(matrix.class_names.size()) * kCell;
  for (size_t truth = 0; truth < matrix.class_names.size(); ++truth) {
    const double y = corner.y + (static_cast<double>(truth) + 0.5) * kCell;
    canvas.text({corner.x - 14, y}, matrix.class_names[truth],
                {.size = kLabelSize, .horizontal = Align::kEnd});
    canvas.text({right + 124, y}, percent(recall(matrix, truth)),
                {.size = kLabelSize, .bold = true, .horizontal = Align::kEnd});
  }
  canvas.text({right + 124, corner.y - 12}, "recall",
              {.size = kLabelSize, .color = kQuietInk, .horizontal = Align::kEnd, .vertical = Align::kEnd});
}

}  // namespace

double recall(const ConfusionMatrix& matrix, size_t truth) {
  const int64_t all = row_sum(matrix, truth);
  return all > 0 ? share(matrix, truth, truth) : NAN;
}

double accuracy(const ConfusionMatrix& matrix) {
  const size_t classes = matrix.class_names.size();
  double right = 0, all = 0;
  for (size_t truth = 0; truth < classes; ++truth) {
    right += static_cast<double>(matrix.counts[truth * classes + truth]);
    all += static_cast<double>(row_sum(matrix, truth));
  }
  return all > 0 ? right / all : NAN;
}

Canvas draw_confusion_matrix(const ConfusionMatrix& matrix) {
  check(matrix);
  double name_width = 0;
  for (const std::string& name : matrix.class_names) {
    name_width = std::max(name_width, Canvas::text_box({}, name, {.size = kLabelSize}).right);
  }
  const bool upwards = name_width > kCell - 8;
  const double side = static_cast<double>(matrix.class_names.size()) * kCell;
  const Point corner = {84 + name_width, 168 + (upwards ? name_width : kLabelSize)};

  // A few classes make a narrow matrix: the title and the note still need their room.
  const std::string note =
      "blue: right, orange: mistaken; deeper = a larger share of the row (each hue on its own scale)";
  const TextStyle title_style = {.size = kTitleSize, .bold = true},
                  note_style = {.size = 19, .color = kQuietInk};
  const double width =
      std::max({corner.x + side + 152, Canvas::text_box({34, 0}, matrix.title, title_style).right + 34,
                Canvas::text_box({34, 0}, note, note_style).right + 34});
  Canvas canvas(static_cast<int>(std::min(width, 4000.0)), static_cast<int>(corner.y + side + 70));

  canvas.text({34, 50}, matrix.title, title_style);
  canvas.text({34, 92}, "accuracy " + percent(accuracy(matrix)), {.size = kLabelSize, .color = kQuietInk});
  canvas.text({corner.x + side / 2, 138}, "predicted class",
              {.size = kLabelSize, .bold = true, .horizontal = Align::kMiddle});
  canvas.text({44, corner.y + side / 2}, "true class",
              {.size = kLabelSize, .bold = true, .horizontal = Align::kMiddle, .upwards = true});
  draw_column_names(canvas, matrix, corner, upwards);
  draw_rows(canvas, matrix, corner);
  draw_cells(canvas, matrix, corner);
  canvas.text({34, corner.y + side + 38}, note, note_style);
  return canvas;
}

void write_confusion_matrix(const std::filesystem::path& path, const ConfusionMatrix& matrix) {
  draw_confusion_matrix(matrix).write_png(path);
}

}  // namespace qlimit
