// Locks: one holder at a time, whichever process it is in, and none that has ended.

#include "core/file_lock.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <future>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qlimit {
namespace {

using namespace std::chrono_literals;

TEST(FileLock, HasOneHolderAtATime) {
  const TemporaryFolder folder;
  {
    const auto first = FileLock::try_hold(folder / "lock");
    ASSERT_TRUE(first);
    EXPECT_FALSE(FileLock::try_hold(folder / "lock"));
    EXPECT_TRUE(FileLock::try_hold(folder / "other"));
  }
  EXPECT_TRUE(FileLock::try_hold(folder / "lock")) << "the end of its holder frees it";
}

TEST(FileLock, MovesWithItsOwner) {
  const TemporaryFolder folder;
  auto first = FileLock::try_hold(folder / "lock");
  ASSERT_TRUE(first);
  {
    const FileLock second = std::move(*first);
    first.reset();
    EXPECT_FALSE(FileLock::try_hold(folder / "lock"));
  }
  EXPECT_TRUE(FileLock::try_hold(folder / "lock"));
}

TEST(FileLock, WaitsForItsHolder) {
  const TemporaryFolder folder;
  auto first = FileLock::try_hold(folder / "lock");
  ASSERT_TRUE(first);
  auto second = std::async(std::launch::async, [&] { return FileLock::hold(folder / "lock"); });
  EXPECT_EQ(second.wait_for(50ms), std::future_status::timeout);
  first.reset();
  const FileLock held = second.get();
  EXPECT_FALSE(FileLock::try_hold(folder / "lock"));
}

TEST(FileLock, OfAKilledProcessIsFree) {
  const TemporaryFolder folder;
  int holds[2];
  ASSERT_EQ(::pipe(holds), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const FileLock lock = FileLock::hold(folder / "lock");
    (void)!::write(holds[1], "x", 1);
    for (;;) ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(holds[0], &byte, 1), 1);
  EXPECT_FALSE(FileLock::try_hold(folder / "lock"));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(FileLock::try_hold(folder / "lock"));
  ::close(holds[0]);
  ::close(holds[1]);
}

TEST(FileLock, ThatCannotBeMadeIsOneError) {
  const TemporaryFolder folder;
  expect_error([&] { FileLock::try_hold(folder / "none/lock"); }, ErrorKind::kIo,
               {"cannot lock", "none/lock", "No such file"});
  expect_error([&] { FileLock::hold(folder.path()); }, ErrorKind::kIo, {"cannot lock", "Is a directory"});
}

}  // namespace
}  // namespace qlimit
