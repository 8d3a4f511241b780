// The program as a user meets it: output, files, exit status.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/error.h"
#include "core/file.h"
#include "tests/experiments/charts/png_decoder.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;

struct Outcome {
  int status = -1;
  std::string output;  // both streams
};

Outcome pareto(const std::string& arguments, const std::string& output = "") {
  const std::string command = concat("'", QLIMIT_PARETO, "' ", arguments, " 2>&1", output);
  std::FILE* pipe = popen(command.c_str(), "r");
  Outcome run;
  std::array<char, 4096> buffer;
  for (size_t n; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) run.output.append(buffer.data(), n);
  const int status = pclose(pipe);
  run.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return run;
}

class ParetoProgram : public testing::Test {
 protected:
  void SetUp() override {
    const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    folder_ = fs::path(testing::TempDir()) / concat("qlimit_pareto_", name);
    fs::remove_all(folder_);
    add("mnist_cnn", "mnist", "0.991");
    add("micro_cifar", "cifar10", "0.738");
    add("standard_cifar", "cifar10", "0.901");
  }
  void TearDown() override { fs::remove_all(folder_); }

  void add(const std::string& name, const std::string& dataset, const std::string& accuracy) {
    fs::create_directories(folder_ / name);
    const std::string version = R"({"accuracy": )" + accuracy +
                                R"(, "standard_error": 0.003, "model_bytes": 42000,
                                "latency_us": {"median": 30, "low": 29, "high": 31}})";
    write_file(folder_ / name / "result.json", R"({"experiment": ")" + name + R"(", "dataset": ")" + dataset +
                                                   R"(", "parameters": 7, "fp32": )" + version +
                                                   R"(, "int8": )" + version + "}");
  }

  // One line that starts with the program's name and holds `part`.
  void expect_complaint(const Outcome& run, int status, const std::string& part) {
    EXPECT_EQ(run.status, status) << run.output;
    EXPECT_EQ(run.output.rfind("pareto: ", 0), 0u) << run.output;
    EXPECT_EQ(run.output.find('\n'), run.output.size() - 1) << run.output;
    EXPECT_NE(run.output.find(part), std::string::npos) << run.output;
  }

  fs::path folder_;
};

TEST_F(ParetoProgram, WritesChartAndTableAndPrintsTheTable) {
  const Outcome run = pareto(concat("--results ", folder_, " --output ", folder_, "/new/report"));
  EXPECT_EQ(run.status, 0) << run.output;
  const std::vector<uint8_t> table = read_file(folder_ / "new/report/pareto.md", 100000);
  EXPECT_EQ(run.output.rfind(std::string(table.begin(), table.end()), 0), 0u) << run.output;
  const DecodedPicture chart = decode_png(read_file(folder_ / "new/report/pareto_chart.png", 10'000'000));
  EXPECT_EQ(chart.width, 1600);
  EXPECT_FALSE(chart.pixels.empty());
}

TEST_F(ParetoProgram, ComparesTheFilesNamed) {
  const Outcome run = pareto(concat("--output ", folder_, " ", folder_, "/micro_cifar/result.json"));
  EXPECT_EQ(run.status, 0) << run.output;
  EXPECT_NE(run.output.find("micro_cifar"), std::string::npos);
  EXPECT_EQ(run.output.find("mnist"), std::string::npos);
}

TEST_F(ParetoProgram, HelpShowsExamples) {
  const Outcome run = pareto("--help");
  EXPECT_EQ(run.status, 0);
  EXPECT_NE(run.output.find("Examples:"), std::string::npos);
  EXPECT_NE(run.output.find("--results"), std::string::npos);
}

TEST_F(ParetoProgram, AFullDiskIsNoSuccess) {
  if (!fs::exists("/dev/full")) GTEST_SKIP();
  expect_complaint(pareto("--help", " > /dev/full"), 1, "standard output");
  expect_complaint(pareto(concat("--results ", folder_), " > /dev/full"), 1, "standard output");
}

TEST_F(ParetoProgram, MissingOrBrokenResultsAreStatusOneAndWriteNothing) {
  fs::remove(folder_ / "micro_cifar/result.json");
  expect_complaint(pareto(concat("--results ", folder_)), 1, "./experiments/run micro_cifar");
  write_file(folder_ / "micro_cifar/result.json", std::string_view("{"));
  expect_complaint(pareto(concat("--results ", folder_)), 1, "not JSON");
  EXPECT_FALSE(fs::exists(folder_ / "pareto_chart.png"));
}

TEST_F(ParetoProgram, AnOutputThatIsNoFolderIsStatusOne) {
  expect_complaint(pareto(concat("--results ", folder_, " --output ", folder_, "/mnist_cnn/result.json")), 1,
                   "result.json");
}

TEST_F(ParetoProgram, UsageErrorsAreStatusTwo) {
  expect_complaint(pareto("--colour blue"), 2, "--colour");
  expect_complaint(pareto("--results"), 2, "--results");
  std::string many = concat("--output ", folder_);
  for (int i = 0; i < 13; ++i) many += concat(" ", folder_, "/micro_cifar/result.json");
  expect_complaint(pareto(many), 2, "13");
}

}  // namespace
}  // namespace qlimit
