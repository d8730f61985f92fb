// Golden texts: what the command printed when somebody last looked at it. They lie in golden/ and
// change only when the tests run with SPILLWAY_UPDATE_GOLDEN=1; the difference is then reviewed
// like code.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/places.h"

namespace spillway {

inline void ExpectGolden(const std::string& name, const std::string& actual) {
  const std::string path = SourcePath("tests/runtime/cli/golden/" + name);
  if (const char* update = std::getenv("SPILLWAY_UPDATE_GOLDEN"); update && *update == '1') {
    std::ofstream(path, std::ios::binary) << actual;
    return;
  }
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file.is_open()) << path << " is missing; run with SPILLWAY_UPDATE_GOLDEN=1";
  std::ostringstream expected;
  expected << file.rdbuf();
  EXPECT_EQ(actual, expected.str()) << "differs from " << path;
}

}  // namespace spillway
