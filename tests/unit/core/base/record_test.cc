#include "core/base/record.h"

#include <doctest/doctest.h>

#include <string>

using namespace wbshim;

namespace {

struct stat file() {
  struct stat st {};
  st.st_mode = S_IFREG | 0644;
  st.st_ino = 42;
  st.st_size = 7;
  st.st_mtim = {1, 2};
  st.st_ctim = {3, 4};
  return st;
}

std::string tail(const struct stat& st, const char* target = "") {
  char room[512];
  Text text(room);
  record::put_tail(text, st, "0123abcd", target);
  REQUIRE(text.ok());
  return text.c_str();
}

}  // namespace

TEST_CASE("record: defaults are left out") {
  CHECK(tail(file()) == ",\"size\":7,\"mtime_ns\":1000000002,\"boot\":\"0123abcd\"");
  struct stat st = file();
  st.st_mode = S_IFREG | 04755;
  st.st_uid = 1000;
  st.st_gid = 100;
  CHECK(tail(st) ==
        ",\"size\":7,\"mtime_ns\":1000000002,\"mode\":2541,\"uid\":1000,\"gid\":100,\"boot\":"
        "\"0123abcd\"");
}

TEST_CASE("record: a link carries its target, escaped; a directory no size") {
  struct stat st = file();
  st.st_mode = S_IFLNK | 0777;
  CHECK(tail(st, "a\"b").find(",\"target\":\"a\\\"b\"") != std::string::npos);
  st.st_mode = S_IFDIR | 0755;
  CHECK(tail(st).find("size") == std::string::npos);
}

TEST_CASE("record: the id of a directory does not follow its entries") {
  char one[96], two[96];
  struct stat st = file();
  st.st_mode = S_IFDIR | 0755;
  Text a(one), b(two);
  record::put_id(a, st);
  st.st_mtim.tv_sec++;
  st.st_ctim.tv_sec++;
  st.st_size++;
  record::put_id(b, st);
  CHECK(std::string(one) == two);
  CHECK(std::string(one) == "42.493.0.0");
}

TEST_CASE("record: same() sees every part of a file's identity") {
  struct stat a = file();
  CHECK(record::same(a, file()));
  for (int part = 0; part < 6; part++) {
    struct stat b = file();
    switch (part) {
      case 0:
        b.st_ino++;
        break;
      case 1:
        b.st_size++;
        break;
      case 2:
        b.st_mtim.tv_nsec++;
        break;
      case 3:
        b.st_ctim.tv_nsec++;
        break;  // touch -r restores the rest
      case 4:
        b.st_mode ^= 0100;
        break;
      default:
        b.st_uid++;
        break;
    }
    CAPTURE(part);
    CHECK_FALSE(record::same(a, b));
  }
}
