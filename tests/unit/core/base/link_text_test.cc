#include "core/base/link_text.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

using wbshim::Bytes;
using wbshim::Text;
namespace link_text = wbshim::link_text;

namespace {

const link_text::Roots roots{Bytes("/p/wb"), Bytes("/staging/tree")};

std::string kept(int depth, const std::string& target) {
  char room[512];
  Text text(room);
  REQUIRE(link_text::keep(roots, depth, Bytes(target.data(), target.size()), &text));
  return text.c_str();
}

std::string shown(const std::string& text) {
  char room[512];
  Text to(room);
  REQUIRE(link_text::show(roots, Bytes(text.data(), text.size()), &to));
  return to.c_str();
}

}  // namespace

TEST_CASE("links: what leads into the prefix is kept with the tree's name") {
  CHECK(kept(3, "/p/wb/a") == "/staging/tree/a");
  CHECK(kept(0, "/p/wb") == "/staging/tree");
  CHECK(kept(0, "///p/wb/a/") == "///staging/tree/a/");
  CHECK(kept(0, "/p/wbx") == "/p/wbx");
  CHECK(kept(1, "../a") == "../a");
  CHECK(kept(0, "") == "");
}

TEST_CASE("links: a relative one that climbs out is kept as the place that it means") {
  CHECK(kept(1, "../../x") == "//././/p/x");
  CHECK(kept(0, "..") == "//.//p");
  CHECK(kept(0, "../..") == "//././");
  CHECK(kept(2, "../../../../../etc/x") == "//./././././etc/x");
  CHECK(kept(1, "../../wb/a") == "//././/staging/tree/a");
  CHECK(kept(0, "../../p/wb") == "//././staging/tree");
  CHECK(kept(0, "./..//./../p/b") == "//././p/b");
  CHECK(kept(0, "a/../../b") == "a/../../b");
}

TEST_CASE("links: they are read as they were given") {
  for (const char* target : {"/p/wb/a",    "//p/wb",   "../../x",
                             "..",         "../..",    "../../../../../etc/x",
                             "../../wb/a", "../../wb", "../../../p/wb/a/b",
                             "../../../p", "//./a",    "///./p/wb",
                             "//././/p/x", "/",        "//",
                             "a/../../b",  ".",        "./a",
                             "...",        "../..x",   "/p/wb/../x"}) {
    CAPTURE(target);
    for (int depth = 0; depth < 4; depth++) CHECK(shown(kept(depth, target)) == target);
  }
}

TEST_CASE("links: random texts of slashes, dots and names come back but for what means nothing") {
  const unsigned seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937 rng(seed);
  const char* words[] = {"/", "/", ".", "..", "p", "wb", "a", "staging", "tree"};
  for (int i = 0; i < 20000; i++) {
    std::string target;
    for (auto n = rng() % 9; n > 0; n--) target += words[rng() % 9];
    const int depth = static_cast<int>(rng() % 4);
    CAPTURE(target);
    // The tree's own name is a link's of nobody.
    if (target.find("/staging/tree") != std::string::npos) continue;
    const std::string back = shown(kept(depth, target));
    if (!link_text::climbs(Bytes(target.data(), target.size()))) CHECK(back == target);
    if (back != target) CHECK(shown(kept(depth, back)) == back);
  }
}
