#include "experiments/machine.h"

#include <gtest/gtest.h>

namespace qlimit {
namespace {

TEST(Machine, EveryFieldIsFilledAndOfOneLine) {
  const Machine machine = describe_machine();
  for (const std::string& text :
       {machine.processor, machine.instruction_set, machine.system, machine.compiler, machine.git_revision}) {
    EXPECT_FALSE(text.empty());
    EXPECT_EQ(text.find_first_of("\n\""), std::string::npos) << text;
  }
  EXPECT_GE(machine.processors, 1);
  EXPECT_NE(machine.compiler.find_first_of("0123456789"), std::string::npos) << machine.compiler;
}

}  // namespace
}  // namespace qlimit
