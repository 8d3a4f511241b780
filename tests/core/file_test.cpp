// Files: whole or not at all, in both directions.

#include "core/file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& path) {
  const std::vector<uint8_t> bytes = read_file(path, 1 << 20);
  return {bytes.begin(), bytes.end()};
}

int64_t entries(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

TEST(File, ComesBackByteForByte) {
  const TemporaryFolder folder;
  const std::string bytes("a\0\xFF\n\r\x80z", 7);
  write_file(folder / "x", bytes);
  EXPECT_EQ(content(folder / "x"), bytes);
  write_file(folder / "x", std::vector<uint8_t>{1, 2});
  EXPECT_EQ(content(folder / "x"), "\x01\x02");
  write_file(folder / "x", "");
  EXPECT_EQ(content(folder / "x"), "");
  EXPECT_EQ(entries(folder.path()), 1) << "a temporary file was left";
}

TEST(File, ReadingIsBounded) {
  const TemporaryFolder folder;
  write_file(folder / "x", "12345");
  EXPECT_EQ(read_file(folder / "x", 5).size(), 5u);
  expect_error([&] { read_file(folder / "x", 4, "fetch it again"); }, ErrorKind::kData,
               {"too long", "at most 4 bytes", "found 5", "fetch it again"});
  // A sparse file of a terabyte takes neither time nor memory.
  fs::resize_file(folder / "x", uint64_t{1} << 40);
  expect_error([&] { read_file(folder / "x", 1 << 20); }, ErrorKind::kData, {"too long"});
}

TEST(File, ReadingNamesWhatIsNoFile) {
  const TemporaryFolder folder;
  expect_error([&] { read_file(folder / "none", 10, "run data/fetch"); }, ErrorKind::kIo,
               {"none", "No such file", "run data/fetch"});
  expect_error([&] { read_file(folder.path(), 10); }, ErrorKind::kIo, {"not a regular file"});
  expect_error([&] { read_file("/dev/zero", 10); }, ErrorKind::kIo, {"not a regular file"});
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  expect_error([&] { read_file(folder / "pipe", 10); }, ErrorKind::kIo, {"not a regular file"});
}

TEST(File, WritingIntoNoFolderFails) {
  const TemporaryFolder folder;
  write_file(folder / "file", "x");
  expect_error([&] { write_file(folder / "none/x", "x"); }, ErrorKind::kIo, {"none/x", "No such file"});
  expect_error([&] { write_file(folder / "file/x", "x"); }, ErrorKind::kIo, {"file/x", "Not a directory"});
  // A folder of that name cannot be replaced by a file; the temporary file goes away again.
  fs::create_directory(folder / "taken");
  expect_error([&] { write_file(folder / "taken", "x"); }, ErrorKind::kIo, {"taken"});
  EXPECT_EQ(entries(folder.path()), 2);
}

// Runs `body` in a child process and expects it to succeed there.
template <typename Body>
void expect_in_child(Body body) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    body();
    ::_exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "see above for what failed in the child";
}

// A limit on the size of files stops the write in the middle, as a full disk would.
TEST(File, AFullDiskLeavesTheOldContent) {
  const TemporaryFolder folder;
  write_file(folder / "x", "old");
  expect_in_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    expect_error([&] { write_file(folder / "x", std::string(5000, 'n')); }, ErrorKind::kIo,
                 {"cannot write", "/x", "disk full"});
    expect_error([&] { write_file(folder / "y", std::string(5000, 'n')); }, ErrorKind::kIo, {"/y"});
  });
  EXPECT_EQ(content(folder / "x"), "old");
  EXPECT_EQ(entries(folder.path()), 1);
}

// Each thread writes its own letter; a mixture would be a file that nobody wrote.
TEST(File, ThreadsThatWriteOnePathDoNotMix) {
  const TemporaryFolder folder;
  std::vector<std::thread> writers;
  for (const char letter : {'a', 'b', 'c', 'd'}) {
    writers.emplace_back([&, letter] {
      const std::string mine(1000 + 500 * (letter - 'a'), letter);
      for (int i = 0; i < 20; ++i) write_file(folder / "x", mine);
    });
  }
  for (std::thread& writer : writers) writer.join();
  const std::string left = content(folder / "x");
  EXPECT_EQ(left, std::string(1000 + 500 * (left.at(0) - 'a'), left[0]));
  EXPECT_EQ(entries(folder.path()), 1);
}

TEST(File, AReadOnlyFolderIsSaidAtOnce) {
  const TemporaryFolder folder;
  write_file(folder / "x", "old");
  fs::permissions(folder.path(), fs::perms(0555));
  expect_in_child([&] {
    // The superuser may write everywhere, so become nobody.
    if (::geteuid() == 0) {
      ASSERT_EQ(::setuid(65534), 0);
    }
    expect_error([&] { write_file(folder / "x", "new"); }, ErrorKind::kIo,
                 {"Permission denied", "read-only"});
    expect_error([&] { ensure_writable_folder(folder.path()); }, ErrorKind::kIo, {"Permission denied"});
    expect_error([&] { ensure_writable_folder(folder / "sub"); }, ErrorKind::kIo, {"cannot create", "sub"});
  });
  fs::permissions(folder.path(), fs::perms(0755));
  EXPECT_EQ(content(folder / "x"), "old");
}

TEST(File, AWritableFolderIsMadeAndLeftEmpty) {
  const TemporaryFolder folder;
  ensure_writable_folder(folder / "a/b/c");
  ensure_writable_folder(folder / "a/b/c");
  EXPECT_EQ(entries(folder / "a/b/c"), 0);
  write_file(folder / "file", "x");
  expect_error([&] { ensure_writable_folder(folder / "file"); }, ErrorKind::kIo, {"file"});
}

}  // namespace
}  // namespace qlimit
