#include "core/volume/record.h"

#include <doctest/doctest.h>

#include "core/base/record.h"
#include "core/util/bytes.h"

using namespace wbshim;

namespace {

const char kStaged[] =
    R"({"gen":1795450182119231,"owner":"33eb","id":"7.2.3.4","state":"staged","since":1795450182119,"etag":"abc","size":2,)"
    R"("mtime_ns":-3,"mode":493,"uid":1000,"gid":5,"boot":"f1623e4d"})";

}  // namespace

TEST_CASE("a record is read as core/base/record.h writes it") {
  auto record = parse_record(kStaged);
  REQUIRE(record);
  CHECK(record->generation == 1795450182119231ULL);
  CHECK(record->owner == "33eb");
  CHECK(record->id == "7.2.3.4");
  CHECK(record->type == 'f');
  CHECK(record->staged());
  CHECK(record->since_ms == 1795450182119ULL);
  CHECK(record->etag == "abc");
  CHECK(record->size == 2);
  CHECK(record->mtime_ns == -3);
  CHECK(record->mode == 0755);
  CHECK(record->uid == 1000);
  CHECK(record->gid == 5);
  CHECK(record->boot == "f1623e4d");
}

TEST_CASE("what is left out has its default") {
  auto record =
      parse_record(R"({"gen":1,"owner":"c","id":"1.1.1.1","size":0,"mtime_ns":0,"boot":"b"})");
  REQUIRE(record);
  CHECK(record->state == RecordState::Uploaded);
  CHECK(record->mode == 0644);
  CHECK(record->uid == 0);
  CHECK(record->etag.empty());
}

TEST_CASE("tombstones, directories and links") {
  auto gone = parse_record(R"({"gen":5,"owner":"c","id":"1.1.1.1","t":"x","was":"d","etag":"e"})");
  REQUIRE(gone);
  CHECK(gone->tombstone());
  CHECK(gone->was == 'd');
  auto link = parse_record(
      R"({"gen":5,"owner":"c","id":"1.1.1.1","t":"l","mtime_ns":1,"mode":511,"boot":"b","target":"a\udcff\"b"})");
  REQUIRE(link);
  CHECK(link->type == 'l');
  CHECK(link->target == "a\xff\"b");
}

TEST_CASE("what the library writes is what is read") {
  struct stat st = {};
  st.st_mode = S_IFLNK | 0777;
  st.st_ino = 42;
  st.st_size = 9;
  st.st_mtim = {-1, 5};
  st.st_ctim = {1795450182, 999999999};
  std::string target = "x\n\"\\\x80\xc3\xa4";
  char room[1024];
  Text text(room);
  text.add(R"({"gen":3,"owner":"c","id":")");
  record::put_id(text, st);
  text.add(R"(","t":"l")");
  record::put_tail(text, st, Bytes("f1623e4d"), bytes(target));
  text.add('}');
  REQUIRE(text.ok());
  auto record = parse_record(view(text.bytes()));
  REQUIRE(record);
  CHECK(record->target == target);
  CHECK(record->mtime_ns == -999999995);
  CHECK(matches(*record, st));
  st.st_ctim.tv_nsec--;
  CHECK_FALSE(matches(*record, st));
}

TEST_CASE("hostile texts are no records, and never more than that") {
  for (const char* text :
       {"", "null", "[]", "{}", R"({"gen":0,"owner":"c","id":"i"})",
        R"({"gen":"7","owner":"c","id":"i"})", R"({"gen":-7,"owner":"c","id":"i"})",
        R"({"gen":7,"owner":"","id":"i"})", R"({"gen":7,"owner":["c"],"id":"i"})",
        R"({"gen":7,"owner":"c"})", R"({"gen":7,"owner":"c","id":"i","t":"q"})",
        R"({"gen":7,"owner":"c","id":"i","t":"dd"})",
        R"({"gen":7,"owner":"c","id":"i","state":"else"})", R"({"gen":1e30,"owner":"c","id":"i"})",
        "{\"gen\":7,\"owner\":\"\xff\"}"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_record(text));
  }
  std::string whole = kStaged;
  for (size_t n = 0; n < whole.size(); n++) CHECK_FALSE(parse_record(whole.substr(0, n)));
  auto odd = parse_record(
      R"({"gen":7,"owner":"c","id":"i","size":-1,"mode":99999999999,"uid":-3,"since":"x","target":7})");
  REQUIRE(odd);
  CHECK(odd->size == 0);
  CHECK(odd->mode == 0644);
  CHECK(odd->uid == 0);
  CHECK(odd->target.empty());
}
