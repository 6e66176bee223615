// spawn COUNT LIBRARY: starts and awaits /bin/true COUNT times without and with the library
// preloaded, in turns; prints both medians in nanoseconds. The rest of the environment is handed
// on.
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <string>
#include <vector>

#include "tests/bench/clock.h"

namespace {

using wbshim::bench::die;
using wbshim::bench::now_ns;

uint64_t once(char** environment) {
  char program[] = "/bin/true";
  char* argv[] = {program, nullptr};
  pid_t child = 0;
  const uint64_t start = now_ns();
  if (posix_spawn(&child, program, nullptr, nullptr, argv, environment) != 0) die("posix_spawn");
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0) die("/bin/true");
  return now_ns() - start;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: bench_spawn COUNT LIBRARY\n");
    return 2;
  }
  const auto count = static_cast<size_t>(strtoul(argv[1], nullptr, 10));
  std::string preload = std::string("LD_PRELOAD=") + argv[2];
  std::vector<char*> bare, shimmed;
  for (char** e = environ; *e != nullptr; e++) {
    if (strncmp(*e, "LD_PRELOAD=", 11) == 0) continue;
    bare.push_back(*e);
    shimmed.push_back(*e);
  }
  bare.push_back(nullptr);
  shimmed.push_back(preload.data());
  shimmed.push_back(nullptr);
  std::vector<uint64_t> without(count), with(count);
  for (size_t i = 0; i < count; i++) {
    without[i] = once(bare.data());
    with[i] = once(shimmed.data());
  }
  printf("%lu %lu\n", wbshim::bench::median(without.data(), count),
         wbshim::bench::median(with.data(), count));
  return 0;
}
