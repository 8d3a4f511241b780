// A folder of PNG pictures as a data set, the way Keras's image_dataset_from_directory reads one: each
// subfolder is a class. Pictures that lie in the folder itself have no class.
//
//   digits/0/a.png digits/0/b.png digits/1/c.png ...     two classes, "0" and "1"
//   holiday/a.png holiday/b.png                          pictures without labels
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace qlimit {

struct ImageFolder {
  Tensor<uint8_t> images;                // [N,H,W,C]
  std::vector<int64_t> labels;           // N places in class_names, or empty: no classes
  std::vector<std::string> class_names;  // the subfolders, in order
  std::vector<std::string> files;        // N paths below the folder
};

/// Reads the pictures of a folder, or at most `limit` of them if that is not 0, spread evenly over the
/// folder. Names that are whole numbers come first, in the order of these, then the others in alphabetical
/// order; what begins with a dot or does not end in .png is passed over. image: [H,W,C], C 1 or 3, the size
/// that every picture must have: nothing is scaled. Throws kUsage for another `image`, kIo if the folder
/// cannot be read, kData, naming the file, for a picture that is damaged or of another size, for a folder
/// without pictures, for pictures beside subfolders with pictures, and for more than kMaxImageFolderBytes.
ImageFolder read_image_folder(const std::filesystem::path& folder, const Shape& image, int64_t limit = 0);

inline constexpr int64_t kMaxImageFolderBytes = int64_t{2} << 30;

/// One picture as a set of one: [1,H,W,C], without labels. Throws as above.
ImageFolder read_one_image(const std::filesystem::path& file, const Shape& image);

}  // namespace qlimit
