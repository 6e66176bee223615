#include "core/volume/volume.h"

#include <doctest/doctest.h>

using namespace wbshim;

TEST_CASE("names of keys") {
  Volume volume;
  volume.name = "v";
  volume.client = "c1";
  CHECK(volume.dir("") == "wbshim:{v}:dir:");
  CHECK(volume.dir("a/b") == "wbshim:{v}:dir:a/b");
  CHECK(volume.due() == "wbshim:{v}:due:c1");
  CHECK(volume.dead() == "wbshim:{v}:dead:c1");
  CHECK(volume.client_row() == "wbshim:{v}:client:c1");
  CHECK(volume.del() == "wbshim:{v}:del");
  CHECK(volume.meta() == "wbshim:{v}:meta");
}

TEST_CASE("paths, names and object keys") {
  CHECK(parent_of("a/b/c") == "a/b");
  CHECK(name_of("a/b/c") == "c");
  CHECK(parent_of("c").empty());
  CHECK(name_of("c") == "c");
  CHECK(object_key("a/b", 'd') == "a/b/");
  CHECK(object_key("a/b", 'f') == "a/b");
  CHECK(path_of_key("a/b/") == "a/b");
  CHECK(path_of_key("a/b") == "a/b");
  CHECK(path_of_key("").empty());
}

TEST_CASE("volume: what can be a name in the tree") {
  for (const char* path : {"a", "a/b", "..a", "a..", ".hidden/...", "a b", "\xff", "%2e%2e", "~"}) {
    CAPTURE(path);
    CHECK(is_tree_path(path));
  }
  for (const char* path :
       {"", "/", "/a", "a/", "a//b", ".", "..", "./a", "a/.", "a/./b", "../a", "a/..", "a/../b"}) {
    CAPTURE(path);
    CHECK_FALSE(is_tree_path(path));
  }
  CHECK_FALSE(is_tree_path(std::string_view("a\0b", 3)));
  CHECK(is_tree_path(std::string(4095, 'x')));
  CHECK_FALSE(is_tree_path(std::string(4096, 'x')));
}
