#include "shim/pointers.h"

#include <doctest/doctest.h>
#include <sys/mman.h>

#include <cstdio>
#include <cstring>
#include <random>
#include <string>

#include "shim/paths.h"

using namespace wbshim;
using pointers::kNone;
using pointers::kPage;

namespace {

// Three pages, of which the last cannot be read.
class Pages {
 public:
  Pages()
      : at_(static_cast<char*>(
            mmap(nullptr, 3 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
    REQUIRE(at_ != MAP_FAILED);
    REQUIRE(mprotect(at_ + 2 * kPage, kPage, PROT_NONE) == 0);
  }
  ~Pages() { munmap(at_, 3 * kPage); }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  // The text with its NUL, ending `before` bytes before what cannot be read; dirt around it.
  char* put(const std::string& text, size_t before) {
    memset(at_, '/', 2 * kPage);
    char* to = at_ + 2 * kPage - before - text.size() - 1;
    memcpy(to, text.c_str(), text.size() + 1);
    return to;
  }
  char* end() { return at_ + 2 * kPage; }

 private:
  char* at_;
};

bool has_pair(const std::string& path) {
  return path.find("//") != std::string::npos || path.find("/.") != std::string::npos;
}

}  // namespace

TEST_CASE("pointers: a path's shape, at every place in a word, up to the end of what is mapped") {
  Pages pages;
  const std::string paths[] = {"",
                               "/",
                               "a",
                               "/a",
                               "//",
                               "/.",
                               "a/.",
                               "/a/b",
                               "/a//b",
                               "/abcdefg/.b",
                               "/abcdef/h/.",
                               "/abcdef//h",
                               "/abcdefg/hijklmn",
                               "./a",
                               "..",
                               "/a.b/c"};
  for (const auto& path : paths) {
    for (size_t before = 0; before < 17; before++) {
      CAPTURE(path);
      CAPTURE(before);
      const pointers::Shape shape = pointers::shape(pages.put(path, before));
      CHECK(shape.size == path.size());
      if (has_pair(path)) CHECK(shape.pairs);
      // Dirt behind the NUL may look like a pair; nothing in the path may be missed.
      if (before == 0) CHECK(shape.pairs == has_pair(path));
    }
  }
}

TEST_CASE("pointers: no shape where the kernel would not read a path") {
  Pages pages;
  CHECK(pointers::shape(nullptr).size == kNone);
  CHECK(pointers::shape(pages.end()).size == kNone);
  char* open_end = pages.put("abc", 0);
  open_end[3] = 'd';  // no NUL before the page that cannot be read
  CHECK(pointers::shape(open_end).size == kNone);
  CHECK(pointers::shape(pages.put(std::string(4095, 'a'), 0)).size == 4095);
  CHECK(pointers::shape(pages.put(std::string(4096, 'a'), 0)).size == kNone);
}

TEST_CASE("pointers: random paths; no tangled one goes unnoticed") {
  const unsigned seed = std::random_device{}();
  printf("seed of random shapes: %u\n", seed);
  CAPTURE(seed);
  std::mt19937 random(seed);
  Pages pages;
  int tangled = 0;
  for (int i = 0; i < 20000; i++) {
    std::string path = "/";
    for (size_t n = random() % 40; n > 0; n--) path += "/.ab\x2f\xae\xaf\x01"[random() % 8];
    const char* at = pages.put(path, random() % 9);
    const pointers::Shape shape = pointers::shape(at);
    REQUIRE(shape.size == path.size());
    REQUIRE((shape.pairs || !has_pair(path)));
    REQUIRE((shape.pairs || !paths::tangled(at)));
    tangled += paths::tangled(at);
  }
  CHECK(tangled > 1000);
}
