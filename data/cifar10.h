// CIFAR-10, binary version (Krizhevsky, "Learning multiple layers of features from tiny images", 2009):
// 50,000 training and 10,000 test images of 32x32 pixels in ten classes.
//
// A file is a row of records of 3,073 bytes: the label, then 1,024 red, 1,024 green and 1,024 blue values,
// each plane row by row. There is no header, so the length alone tells a whole file from a truncated one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "data/dataset.h"

namespace qlimit {

inline constexpr int64_t kCifarSide = 32;
inline constexpr int64_t kCifarRecordBytes = 1 + 3 * kCifarSide * kCifarSide;
inline constexpr int64_t kCifarRecordsPerFile = 10'000;

/// The records of one file, as images [N,32,32,3]. Throws kData, naming `where`, if the bytes are not one or
/// more whole records or a label is not below 10.
Dataset parse_cifar10(std::span<const uint8_t> bytes, const std::string& where, const std::string& hint = {});

/// Reads data_batch_1.bin ... data_batch_5.bin and test_batch.bin from `folder`, each of exactly
/// `records_per_file` records. Throws kIo for a file that cannot be read, kData for one that is not what it
/// should be.
DatasetPair load_cifar10(const std::filesystem::path& folder,
                         int64_t records_per_file = kCifarRecordsPerFile);

}  // namespace qlimit
