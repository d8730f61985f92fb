// linked_word_count INPUT OUTPUT MEMORY_BYTES: word count with its plugin linked into the program,
// to measure what the border of a shared library costs. It includes the example as it stands.
#include <cstdio>
#include <cstdlib>

#include "examples/word_count/word_count.cc"
#include "runtime/local/local_runner.h"

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: linked_word_count INPUT OUTPUT MEMORY_BYTES\n");
    return 64;
  }
  spillway::JobRequest request;
  request.linked_plugin = &spillway_plugin_v1;
  request.inputs = {argv[1]};
  request.output_dir = argv[2];
  request.memory_bytes = std::strtoull(argv[3], nullptr, 10);
  request.reducers = 2;
  request.threads = 2;
  auto runner = spillway::PrepareLocalRunner(request);
  const spillway::Status status = runner.ok() ? (*runner)->Run().status : runner.status();
  if (status.ok()) return 0;
  std::fprintf(stderr, "linked_word_count: %s\n", status.message().c_str());
  return 1;
}
