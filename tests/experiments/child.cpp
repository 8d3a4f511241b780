#include "tests/experiments/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace qlimit {
namespace {

constexpr int kCouldNotStart = 127;

void redirect(int stream, const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file < 0 || ::dup2(file, stream) < 0) ::_exit(kCouldNotStart);
}

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace

Child::Child(const std::vector<std::string>& arguments, const std::filesystem::path& log,
             const std::function<void()>& prepare)
    : pid_(::fork()), log_(log) {
  if (pid_ != 0) return;
  redirect(STDOUT_FILENO, log.string() + ".out");
  redirect(STDERR_FILENO, log.string() + ".err");
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  prepare();
  ::execv(argv[0], argv.data());
  ::_exit(kCouldNotStart);
}

Child::~Child() {
  if (!running_) return;
  kill();
  wait();
}

void Child::kill() { ::kill(pid_, SIGKILL); }

Exit Child::wait() {
  int status = 0;
  ::waitpid(pid_, &status, 0);
  running_ = false;
  return {.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
          .killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
          .out = text_of(log_.string() + ".out"),
          .err = text_of(log_.string() + ".err")};
}

}  // namespace qlimit
