#include "data/image_folder.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "data/png.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;

bool is_number(const std::string& text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c); });
}

// Whether `a` comes before `b`: 2 before 10 before "1a", but "b" after "a10".
bool comes_before(const std::string& a, const std::string& b) {
  if (is_number(a) != is_number(b)) return is_number(a);
  if (is_number(a)) {
    const auto significant = [](const std::string& digits) {
      return digits.substr(std::min(digits.find_first_not_of('0'), digits.size()));
    };
    const std::string x = significant(a), y = significant(b);
    if (x.size() != y.size()) return x.size() < y.size();
    if (x != y) return x < y;
  }
  return a < b;
}

bool is_png(const fs::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return ending == ".png";
}

struct Listing {
  std::vector<std::string> pictures;
  std::vector<std::string> folders;
};

Listing list(const fs::path& folder) {
  std::error_code error;
  Listing listing;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (name.front() == '.') continue;
    if (entry->is_directory(ignored)) {
      listing.folders.push_back(name);
    } else if (is_png(entry->path())) {
      listing.pictures.push_back(name);
    }
  }
  if (error)
    throw Error(ErrorKind::kIo,
                {.what = "cannot list the folder", .where = concat(folder.string(), ": ", error.message())});
  const auto stem_order = [](const std::string& a, const std::string& b) {
    const std::string x = fs::path(a).stem().string(), y = fs::path(b).stem().string();
    return x == y ? a < b : comes_before(x, y);
  };
  std::sort(listing.pictures.begin(), listing.pictures.end(), stem_order);
  std::sort(listing.folders.begin(), listing.folders.end(), comes_before);
  return listing;
}

/// The names of all pictures and their classes; `images` is left empty.
ImageFolder find_pictures(const fs::path& folder) {
  const Listing top = list(folder);
  ImageFolder found{.images = {}, .labels = {}, .class_names = {}, .files = top.pictures};
  for (const std::string& name : top.folders) {
    const std::vector<std::string> pictures = list(folder / name).pictures;
    if (pictures.empty()) continue;
    for (const std::string& picture : pictures) {
      found.files.push_back((fs::path(name) / picture).string());
      found.labels.push_back(static_cast<int64_t>(found.class_names.size()));
    }
    found.class_names.push_back(name);
  }
  if (found.files.empty()) {
    throw Error(ErrorKind::kData, {.what = "no pictures in the folder",
                                   .where = folder.string(),
                                   .expected = "*.png, or a subfolder with *.png for each class"});
  }
  if (!found.labels.empty() && !top.pictures.empty()) {
    throw Error(ErrorKind::kData, {.what = "pictures lie beside the subfolders of the classes",
                                   .where = (folder / top.pictures.front()).string()});
  }
  return found;
}

// Keeps `limit` entries, evenly spread, so that every class has its share.
void thin_out(ImageFolder& found, int64_t limit) {
  const auto count = static_cast<int64_t>(found.files.size());
  if (limit == 0 || limit >= count) return;
  for (int64_t i = 0; i < limit; ++i) {
    const auto from = static_cast<size_t>(i * count / limit), to = static_cast<size_t>(i);
    std::swap(found.files[to], found.files[from]);
    if (!found.labels.empty()) found.labels[to] = found.labels[from];
  }
  found.files.resize(static_cast<size_t>(limit));
  if (!found.labels.empty()) found.labels.resize(static_cast<size_t>(limit));
}

Tensor<uint8_t> read_sized(const fs::path& path, const Shape& image) {
  Tensor<uint8_t> picture = read_png(path, image[2]);
  if (picture.shape() != image) {
    throw Error(ErrorKind::kData, {.what = "the picture has another size than the model's input",
                                   .where = path.string(),
                                   .expected = concat(image[0], " rows of ", image[1], " pixels"),
                                   .found = concat(picture.dim(0), " of ", picture.dim(1)),
                                   .hint = "scale it first: how it is done decides about the result"});
  }
  return picture;
}

void check_shape(const Shape& image) {
  if (image.rank() != 3) {
    throw Error(ErrorKind::kUsage, {.what = "pictures are [H,W,C]", .found = image.to_string()});
  }
}

}  // namespace

ImageFolder read_image_folder(const fs::path& folder, const Shape& image, int64_t limit) {
  check_shape(image);
  ImageFolder set = find_pictures(folder);
  thin_out(set, limit);
  const auto count = static_cast<int64_t>(set.files.size());
  if (image.size() > kMaxImageFolderBytes / count) {
    throw Error(ErrorKind::kData, {.what = "too many pictures to hold in memory",
                                   .where = folder.string(),
                                   .expected = concat("at most ", kMaxImageFolderBytes, " bytes of pixels"),
                                   .found = concat(count, " pictures of ", image.size(), " bytes"),
                                   .hint = "take some of them with --limit"});
  }
  set.images = Tensor<uint8_t>::uninitialized({count, image[0], image[1], image[2]});
  for (int64_t i = 0; i < count; ++i) {
    const Tensor<uint8_t> picture = read_sized(folder / set.files[static_cast<size_t>(i)], image);
    std::copy(picture.begin(), picture.end(), set.images.data() + i * image.size());
  }
  return set;
}

ImageFolder read_one_image(const fs::path& file, const Shape& image) {
  check_shape(image);
  return {.images = read_sized(file, image).reshape({1, image[0], image[1], image[2]}),
          .labels = {},
          .class_names = {},
          .files = {file.filename().string()}};
}

}  // namespace qlimit
