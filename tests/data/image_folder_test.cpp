#include "data/image_folder.h"

#include "tests/data/fixtures.h"
#include "tests/data/made_png.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;
using Labels = std::vector<int64_t>;

const Shape kImage = {2, 3, 1};

class ImageFolders : public testing::Test {
 protected:
  // A picture whose pixels all are `grey`.
  void picture(const std::string& name, uint8_t grey, uint32_t width = 3, uint32_t height = 2) const {
    fs::create_directories((folder_ / name).parent_path());
    write_file(folder_ / name, made_png(width, height, PngColour::kGrey, Bytes(width * height, grey)));
  }
  Bytes first_pixels(const ImageFolder& set) const {
    Bytes pixels;
    for (int64_t i = 0; i < set.images.dim(0); ++i) pixels.push_back(set.images(i, 0, 0, 0));
    return pixels;
  }
  void expect_refusal(const Names& parts) const {
    expect_error([&] { read_image_folder(folder_.path(), kImage); }, ErrorKind::kData, parts);
  }

  TemporaryFolder folder_;
};

TEST_F(ImageFolders, SubfoldersAreClassesInOrderOfTheirNumbers) {
  picture("10/a.png", 1);
  picture("9/b.png", 2);
  picture("9/a.png", 3);
  picture("009/c.PNG", 4);
  const ImageFolder set = read_image_folder(folder_.path(), kImage);
  EXPECT_EQ(set.images.shape(), Shape({4, 2, 3, 1}));
  EXPECT_EQ(set.class_names, (Names{"009", "9", "10"}));
  EXPECT_EQ(set.files, (Names{"009/c.PNG", "9/a.png", "9/b.png", "10/a.png"}));
  EXPECT_EQ(set.labels, (Labels{0, 1, 1, 2}));
  EXPECT_EQ(first_pixels(set), (Bytes{4, 3, 2, 1}));
}

TEST_F(ImageFolders, ClassesInOrderOfTheirNames) {
  for (const char* name : {"frog/x.png", "Cat/x.png", "bird/x.png"}) picture(name, 0);
  EXPECT_EQ(read_image_folder(folder_.path(), kImage).class_names, (Names{"Cat", "bird", "frog"}));
}

// "10" is before "1a" as a text is, and "1a" before "2": without a rule for the mixture there is no order.
TEST_F(ImageFolders, NumbersComeBeforeOtherNames) {
  for (const char* name : {"1a/x.png", "10/x.png", "2/x.png", "-/x.png"}) picture(name, 0);
  EXPECT_EQ(read_image_folder(folder_.path(), kImage).class_names, (Names{"2", "10", "-", "1a"}));
}

TEST_F(ImageFolders, PicturesAloneHaveNoClass) {
  picture("10.png", 10);
  picture("9.png", 9);
  picture("a.png", 20);
  write_file(folder_ / "notes.txt", "not a picture");
  write_file(folder_ / ".hidden.png", "not a picture");
  fs::create_directories(folder_ / "empty");
  const ImageFolder set = read_image_folder(folder_.path(), kImage);
  EXPECT_EQ(set.files, (Names{"9.png", "10.png", "a.png"}));
  EXPECT_EQ(first_pixels(set), (Bytes{9, 10, 20}));
  EXPECT_TRUE(set.labels.empty());
  EXPECT_TRUE(set.class_names.empty());
}

TEST_F(ImageFolders, ALimitTakesFromAllClasses) {
  for (int i = 0; i < 6; ++i) {
    picture(concat("a/", i, ".png"), static_cast<uint8_t>(i));
    picture(concat("b/", i, ".png"), static_cast<uint8_t>(10 + i));
  }
  const ImageFolder set = read_image_folder(folder_.path(), kImage, 4);
  EXPECT_EQ(set.labels, (Labels{0, 0, 1, 1}));
  EXPECT_EQ(first_pixels(set), (Bytes{0, 3, 10, 13}));
  EXPECT_EQ(set.files, (Names{"a/0.png", "a/3.png", "b/0.png", "b/3.png"}));
  EXPECT_EQ(read_image_folder(folder_.path(), kImage, 100).labels.size(), 12u);
}

TEST_F(ImageFolders, OnePicture) {
  picture("a.png", 7);
  const ImageFolder one = read_one_image(folder_ / "a.png", kImage);
  EXPECT_EQ(one.images.shape(), Shape({1, 2, 3, 1}));
  EXPECT_EQ(one.images[5], 7);
  EXPECT_EQ(one.files, Names{"a.png"});
}

TEST_F(ImageFolders, RefusesAnEmptyFolder) {
  expect_refusal({folder_.path().string(), "no pictures", "*.png"});
}

TEST_F(ImageFolders, RefusesAnotherSize) {
  picture("a.png", 7);
  picture("b.png", 7, 2, 3);
  expect_refusal({"b.png", "2 rows of 3", "found 3 of 2", "scale"});
}

TEST_F(ImageFolders, RefusesPicturesBesideClasses) {
  picture("a/a.png", 7);
  picture("stray.png", 7);
  expect_refusal({"stray.png", "subfolders"});
}

TEST_F(ImageFolders, RefusesDamage) {
  write_file(folder_ / "a.png", "not a picture");
  expect_refusal({"a.png", "a PNG"});
}

TEST_F(ImageFolders, NamesAMissingFolder) {
  expect_error([&] { read_image_folder(folder_ / "nowhere", kImage); }, ErrorKind::kIo, {"nowhere"});
  expect_error([&] { read_one_image(folder_ / "nowhere.png", kImage); }, ErrorKind::kIo, {"nowhere.png"});
  expect_error([&] { read_image_folder(folder_.path(), {1, 2, 3, 1}); }, ErrorKind::kUsage, {"[H,W,C]"});
}

}  // namespace
}  // namespace qlimit
