// What all tests of the kernel count and print.
#pragma once

#include <cstdio>
#include <string>

#include "onecell/cell.h"

inline int checks = 0, failures = 0;

inline void check(bool holds, const std::string& what) {
  ++checks;
  if (holds) return;
  ++failures;
  std::printf("FAILED %s [%s]\n", what.c_str(), onecell::isa().c_str());
}

// Print the sum of it; returns the exit status.
inline int conclude(const char* name) {
  std::printf("%s: %d passed, %d failed\n", name, checks - failures, failures);
  return failures == 0 ? 0 : 1;
}
