// files OPERATION DIRECTORY COUNT [SOCKET]: does one operation on COUNT files of 4 KiB, f0, f1, …
// below DIRECTORY, and prints the median nanoseconds per file. Run bare and under the prefix, the
// same binary tells what the library costs. With Redis' SOCKET it does one bare round trip before
// each operation, and prints their median too: a round trip takes half as long on cores that are
// awake, so that the two can only be compared when they take turns.
//   create  open, write 4 KiB, close       stat  stat             open  open for reading, close
//   read    pread 4 KiB of an open file    write pwrite 4 KiB into an open file
//   map     map, touch, unmap an open file
//   rename  f0 to r0 …                     unlink  r0 …
//   keep    create, with an fsync before the close
//   outside open and close a file, and stat it: two medians
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "tests/bench/clock.h"
#include "tests/bench/roundtrip.h"

namespace {

using wbshim::bench::die;
using wbshim::bench::median;
using wbshim::bench::now_ns;
using wbshim::bench::RoundTrips;

constexpr size_t kSize = 4096;
char block[kSize];

struct Name {
  char text[512];
  Name(const char* directory, char letter, size_t i) {
    snprintf(text, sizeof text, "%s/%c%zu", directory, letter, i);
  }
};

void create(const char* path, bool keep = false) {
  const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0 || write(fd, block, kSize) != static_cast<ssize_t>(kSize) ||
      (keep && fsync(fd) != 0) || close(fd) != 0)
    die("create");
}

void look(const char* path) {
  struct stat st {};
  if (stat(path, &st) != 0) die("stat");
}

void open_close(const char* path) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || close(fd) != 0) die("open");
}

void rename_one(const char* directory, size_t i) {
  const Name from(directory, 'f', i), to(directory, 'r', i);
  if (rename(from.text, to.text) != 0) die("rename");
}

void touch_map(int fd) {
  void* map = mmap(nullptr, kSize, PROT_READ, MAP_SHARED, fd, 0);
  if (map == MAP_FAILED) die("mmap");
  block[0] = static_cast<char>(block[0] ^ *static_cast<const volatile char*>(map));
  munmap(map, kSize);
}

// On one open file, over and over.
void on_open_file(const char* operation, const char* directory, std::vector<uint64_t>& times) {
  const Name name(directory, 'f', 0);
  const int fd = open(name.text, O_RDWR | O_CLOEXEC);
  if (fd < 0) die("open");
  for (auto& time : times) {
    const uint64_t start = now_ns();
    if (strcmp(operation, "read") == 0) {
      if (pread(fd, block, kSize, 0) != static_cast<ssize_t>(kSize)) die("pread");
    } else if (strcmp(operation, "write") == 0) {
      if (pwrite(fd, block, kSize, 0) != static_cast<ssize_t>(kSize)) die("pwrite");
    } else {
      touch_map(fd);
    }
    time = now_ns() - start;
  }
  close(fd);
}

void on_each_file(const char* operation, const char* directory, std::vector<uint64_t>& times,
                  RoundTrips* trips, std::vector<uint64_t>& trip_times) {
  for (size_t i = 0; i < times.size(); i++) {
    const Name name(directory, strcmp(operation, "unlink") == 0 ? 'r' : 'f', i);
    if (trips != nullptr) trip_times.push_back(trips->next());
    const uint64_t start = now_ns();
    if (strcmp(operation, "create") == 0)
      create(name.text);
    else if (strcmp(operation, "keep") == 0)
      create(name.text, true);
    else if (strcmp(operation, "stat") == 0)
      look(name.text);
    else if (strcmp(operation, "open") == 0)
      open_close(name.text);
    else if (strcmp(operation, "rename") == 0)
      rename_one(directory, i);
    else if (unlink(name.text) != 0)
      die("unlink");
    times[i] = now_ns() - start;
  }
}

// Calls that are too short to be timed one by one: batches of 100, per call.
template <typename Call>
uint64_t batches(size_t count, Call call) {
  std::vector<uint64_t> times(count / 100 + 1);
  for (auto& time : times) {
    const uint64_t start = now_ns();
    for (int i = 0; i < 100; i++) call();
    time = (now_ns() - start) / 100;
  }
  return median(times.data(), times.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    fprintf(stderr, "usage: bench_files OPERATION DIRECTORY COUNT [SOCKET]\n");
    return 2;
  }
  const char* operation = argv[1];
  const char* directory = argv[2];
  const auto count = static_cast<size_t>(strtoul(argv[3], nullptr, 10));
  if (strcmp(operation, "outside") == 0) {
    const Name name(directory, 'f', 0);
    create(name.text);
    const uint64_t opened = batches(count, [&] { open_close(name.text); });
    const uint64_t looked = batches(count, [&] { look(name.text); });
    printf("%lu %lu\n", opened, looked);
    return 0;
  }
  std::vector<uint64_t> times(count), trip_times;
  const bool in_place = strcmp(operation, "read") == 0 || strcmp(operation, "write") == 0 ||
                        strcmp(operation, "map") == 0;
  std::unique_ptr<RoundTrips> trips;
  if (argc == 5) trips = std::make_unique<RoundTrips>(argv[4], count);
  if (in_place)
    on_open_file(operation, directory, times);
  else
    on_each_file(operation, directory, times, trips.get(), trip_times);
  printf("%lu\n", median(times.data(), times.size()));
  if (trips) printf("%lu\n", median(trip_times.data(), trip_times.size()));
  return 0;
}
