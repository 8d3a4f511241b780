// For tests of refusals: an Error of the right kind, in one line that says the right things.
//
//   expect_error([&] { load_model(path); }, ErrorKind::kData, {"3.weight", "expected [8,3,3,3]"});
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/error.h"

namespace qlimit {

/// Fails the test unless `action` throws an Error of `kind` whose text is one line and holds all `fragments`.
template <typename Action>
void expect_error(Action action, ErrorKind kind, const std::vector<std::string>& fragments) {
  try {
    action();
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_EQ(static_cast<int>(error.kind()), static_cast<int>(kind)) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    for (const std::string& fragment : fragments)
      EXPECT_NE(text.find(fragment), std::string::npos) << "not said: " << fragment << "\nsaid: " << text;
    return;
  }
  ADD_FAILURE() << "nothing was thrown";
}

}  // namespace qlimit
