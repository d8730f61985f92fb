// SPILLWAY_CHECK: catches our own bugs and stops the process with both values. It stays on in
// release builds; SPILLWAY_DCHECK is for hot loops. Bad input is a Status, never a check.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>

namespace spillway::internal {

[[noreturn, gnu::cold, gnu::noinline]] inline void CheckFailed(const char* file, int line,
                                                               const std::string& what) {
  std::fprintf(stderr, "spillway: internal check failed at %s:%d: %s\n", file, line, what.c_str());
  std::fflush(stderr);
  std::abort();
}

template <class A, class B>
[[noreturn, gnu::cold, gnu::noinline]] void CheckOpFailed(const char* file, int line,
                                                          const char* expression, const A& a,
                                                          const B& b) {
  std::ostringstream text;
  text << expression << " (" << a << " vs " << b << ")";
  CheckFailed(file, line, text.str());
}

}  // namespace spillway::internal

#define SPILLWAY_CHECK(condition)                                              \
  do {                                                                         \
    if (!(condition)) [[unlikely]]                                             \
      ::spillway::internal::CheckFailed(__FILE__, __LINE__, #condition);       \
  } while (false)

#define SPILLWAY_CHECK_OP_(op, a, b)                                                          \
  do {                                                                                        \
    const auto& spillway_a_ = (a);                                                            \
    const auto& spillway_b_ = (b);                                                            \
    if (!(spillway_a_ op spillway_b_)) [[unlikely]]                                           \
      ::spillway::internal::CheckOpFailed(__FILE__, __LINE__, #a " " #op " " #b, spillway_a_, \
                                          spillway_b_);                                       \
  } while (false)

#define SPILLWAY_CHECK_EQ(a, b) SPILLWAY_CHECK_OP_(==, a, b)
#define SPILLWAY_CHECK_NE(a, b) SPILLWAY_CHECK_OP_(!=, a, b)
#define SPILLWAY_CHECK_LT(a, b) SPILLWAY_CHECK_OP_(<, a, b)
#define SPILLWAY_CHECK_LE(a, b) SPILLWAY_CHECK_OP_(<=, a, b)
#define SPILLWAY_CHECK_GT(a, b) SPILLWAY_CHECK_OP_(>, a, b)
#define SPILLWAY_CHECK_GE(a, b) SPILLWAY_CHECK_OP_(>=, a, b)

#ifdef NDEBUG
#define SPILLWAY_DCHECK(condition) \
  do {                             \
    if (false) (void)(condition);  \
  } while (false)
#else
#define SPILLWAY_DCHECK(condition) SPILLWAY_CHECK(condition)
#endif
