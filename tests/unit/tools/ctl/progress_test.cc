#include "tools/ctl/progress.h"

#include <doctest/doctest.h>
#include <pty.h>
#include <unistd.h>

#include <algorithm>
#include <string>

using namespace wbshim;
using namespace wbshim::ctl;

namespace {

struct HandClock final : Clock {
  uint64_t now = 1000;
  uint64_t now_ms() const override { return now; }
  uint64_t wall_ms() const override { return now; }
};

struct Pipe {
  int ends[2];
  Pipe() { REQUIRE(pipe(ends) == 0); }
  ~Pipe() {
    close(ends[0]);
    if (ends[1] >= 0) close(ends[1]);
  }
  std::string all() {
    close(ends[1]);
    ends[1] = -1;
    char room[4096];
    const ssize_t n = read(ends[0], room, sizeof room);
    return std::string(room, n > 0 ? static_cast<size_t>(n) : 0);
  }
};

}  // namespace

TEST_CASE("the text: rate and time left appear once they mean something") {
  CHECK(progress_text({0, 10, 0, 2048}, 100) == "0 of 10 entries, 0 B of 2.0 KiB");
  CHECK(progress_text({5, 10, 1024, 2048}, 1000) ==
        "5 of 10 entries, 1.0 KiB of 2.0 KiB, 1.0 KiB/s, 1.0 s left");
  CHECK(progress_text({9, 10, 1024, 11264}, 1000) ==
        "9 of 10 entries, 1.0 KiB of 11.0 KiB, 1.0 KiB/s, 10 s left");
  CHECK(progress_text({10, 10, 2048, 2048}, 2000) ==
        "10 of 10 entries, 2.0 KiB of 2.0 KiB, 1.0 KiB/s");
  CHECK(progress_text({1, UINT64_MAX / 4096, 0, 0}, 1000).find("left") != std::string::npos);
}

TEST_CASE("no terminal: plain lines, at most one a second") {
  Pipe pipe;
  HandClock clock;
  Progress progress(pipe.ends[1], false, clock);
  for (int i = 0; i < 25; i++, clock.now += 100) progress.show({1, 2, 3, 4});
  progress.clear();
  const std::string text = pipe.all();
  CHECK(std::count(text.begin(), text.end(), '\n') == 3);
  CHECK(text.find('\r') == std::string::npos);
  CHECK(text.find('\x1b') == std::string::npos);
}

TEST_CASE("a terminal: one line, rewritten and taken away") {
  Pipe pipe;
  HandClock clock;
  Progress progress(pipe.ends[1], true, clock);
  progress.show({1, 2, 3, 4});
  clock.now += 50;
  progress.show({2, 2, 4, 4});
  progress.clear();
  progress.clear();
  CHECK(pipe.all() == "\rflush: 1 of 2 entries, 3 B of 4 B\x1b[K\r\x1b[K");
}

TEST_CASE("a narrow terminal: the line is cut, one that wraps could not be rewritten") {
  int master = -1, slave = -1;
  struct winsize size = {};
  size.ws_row = 24;
  size.ws_col = 20;
  REQUIRE(openpty(&master, &slave, nullptr, nullptr, &size) == 0);
  HandClock clock;
  Progress progress(slave, true, clock);
  progress.show({1000, 20000, 30000, 40000});
  char room[200];
  const ssize_t n = read(master, room, sizeof room);
  CHECK(std::string(room, n > 0 ? static_cast<size_t>(n) : 0) == "\rflush: 1000 of 2000\x1b[K");
  close(master);
  close(slave);
}

TEST_CASE("before anything is known, the line says what goes on") {
  Pipe pipe;
  HandClock clock;
  Progress progress(pipe.ends[1], false, clock);
  progress.show({});
  CHECK(pipe.all() == "flush: looking for what is not stored yet\n");
}
