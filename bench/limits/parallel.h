// RunThreads: the same function on several threads, numbered from 0; returns when all are done.
#pragma once

#include <thread>
#include <vector>

namespace spillway::limits {

template <class Function>
void RunThreads(unsigned threads, Function function) {
  std::vector<std::jthread> others;
  for (unsigned i = 1; i < threads; ++i) others.emplace_back([&function, i] { function(i); });
  function(0U);
}

}  // namespace spillway::limits
