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

/// A function, so that temporaries in both operands live until they are compared and printed.
template <class A, class B, class Op>
inline void CheckOp(const A& a, const B& b, Op op, const char* file, int line,
                    const char* expression) {
  if (!op(a, b)) [[unlikely]]
    CheckOpFailed(file, line, expression, a, b);
}

}  // namespace spillway::internal

#define SPILLWAY_CHECK(condition)                                        \
  do {                                                                   \
    if (!(condition)) [[unlikely]]                                       \
      ::spillway::internal::CheckFailed(__FILE__, __LINE__, #condition); \
  } while (false)

#define SPILLWAY_CHECK_OP_(op, a, b)                                                 \
  ::spillway::internal::CheckOp(                                                     \
      a, b, [](const auto& x, const auto& y) { return x op y; }, __FILE__, __LINE__, \
      #a " " #op " " #b)

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
