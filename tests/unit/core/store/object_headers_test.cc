#include "core/store/object_headers.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

using namespace wbshim;

TEST_CASE("object headers: times have nine digits, whatever they are") {
  CHECK(mtime_text(0) == "0.000000000");
  CHECK(mtime_text(1) == "0.000000001");
  CHECK(mtime_text(1'700'000'000'000'000'123) == "1700000000.000000123");
  CHECK(mtime_text(1'999'999'999) == "1.999999999");
  CHECK(mtime_text(-1) == "-1.999999999");
  CHECK(mtime_text(-1'000'000'000) == "-1.000000000");
  CHECK(mtime_text(-1'500'000'000) == "-2.500000000");
}

TEST_CASE("object headers: as s3fs writes them") {
  using Headers = std::vector<std::pair<std::string, std::string>>;
  ObjectMeta meta{S_IFREG | 0644, 1000, 100, 5'000'000'000, 42};
  CHECK(object_headers(meta, "d/f", {}) == Headers{{"content-type", "application/octet-stream"},
                                                   {"x-amz-meta-mode", "33188"},
                                                   {"x-amz-meta-uid", "1000"},
                                                   {"x-amz-meta-gid", "100"},
                                                   {"x-amz-meta-mtime", "5.000000000"},
                                                   {"x-amz-meta-wbshim-gen", "42"}});
  meta.mode = S_IFDIR | 0755;
  meta.generation = 0;
  const Headers directory = object_headers(meta, "d.txt/", {});
  CHECK(directory[0].second == "application/x-directory");
  CHECK(directory[1].second == "16877");
  CHECK(directory.size() == 5);
  meta.mode = S_IFLNK | 0777;
  CHECK(object_headers(meta, "link.html", {})[1].second == "41471");
  CHECK(object_headers(meta, "link.html", {})[0].second == "application/octet-stream");
}

TEST_CASE("object headers: the time read back") {
  int64_t out = 0;
  for (const int64_t time : {int64_t{0}, int64_t{1}, int64_t{-1}, int64_t{-1'500'000'000},
                             int64_t{1'700'000'000'000'000'123}}) {
    CHECK(parse_mtime(mtime_text(time), &out));
    CHECK(out == time);
  }
  CHECK(parse_mtime("12", &out));
  CHECK(out == 12'000'000'000);
  CHECK(parse_mtime("12.5", &out));
  CHECK(out == 12'500'000'000);
  CHECK(parse_mtime("12.1234567899", &out));
  CHECK(out == 12'123'456'789);
  for (const char* text :
       {"", "x", "1x", "1.x", "99999999999999999999", "9223372036854775807", "."})
    CHECK_FALSE(parse_mtime(text, &out));
}

TEST_CASE("object headers: attributes read back, and those of other tools' objects") {
  ObjectMeta meta;
  meta.mode = 0100640;
  meta.uid = 3;
  meta.gid = 4;
  meta.mtime_ns = -7;
  meta.generation = 5;
  const auto headers = object_headers(meta, "f", {});
  const ObjectMeta back = object_meta([&](std::string_view name) {
    for (const auto& [each, value] : headers) {
      if (each == name) return std::string_view(value);
    }
    return std::string_view();
  });
  CHECK(back.mode == meta.mode);
  CHECK(back.uid == 3);
  CHECK(back.gid == 4);
  CHECK(back.mtime_ns == -7);
  CHECK(back.generation == 5);
  CHECK(object_meta([](std::string_view) { return std::string_view(); }).mode == 0);
}

TEST_CASE("object headers: the type of a file comes from its name") {
  struct Row {
    const char* path;
    const char* type;
  };
  const Row rows[] = {{"a.txt", "text/plain"},
                      {"d.png/index.HTML", "text/html"},
                      {"x.tar.gz", "application/gzip"},
                      {"d/photo.JPeG", "image/jpeg"},
                      {"7z.7z", "application/x-7z-compressed"},
                      {"a.zst", "application/zstd"},
                      {"a.parquet", "application/vnd.apache.parquet"},
                      {"d.txt/name", "application/octet-stream"},
                      {".html", "application/octet-stream"},
                      {"d/.html", "application/octet-stream"},
                      {"a.", "application/octet-stream"},
                      {"a.html2", "application/octet-stream"},
                      {"a.\xff", "application/octet-stream"},
                      {"a.longer-than-any", "application/octet-stream"},
                      {"", "application/octet-stream"}};
  ObjectMeta meta;
  meta.mode = S_IFREG | 0644;
  for (const Row& row : rows) {
    CAPTURE(row.path);
    CHECK(object_headers(meta, row.path, {})[0].second == row.type);
  }
}
