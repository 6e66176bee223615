#include "core/base/crc32c.h"

#include <doctest/doctest.h>

#include <string>

using namespace wbshim;

namespace {

Bytes of(const std::string& text) {
  return Bytes(text.data(), text.size());
}

}  // namespace

TEST_CASE("crc32c: the values of RFC 3720") {
  CHECK(crc32c(Bytes("123456789")) == 0xe3069283U);
  CHECK(crc32c(of(std::string(32, '\0'))) == 0x8a9136aaU);
  CHECK(crc32c(of(std::string(32, '\xff'))) == 0x62a8ab43U);
  CHECK(crc32c(Bytes()) == 0);
}

TEST_CASE("crc32c: the instruction and the table agree, whatever the length and alignment") {
  std::string text(20000, '\0');
  uint32_t mixed = 1;
  for (char& c : text) c = static_cast<char>((mixed = mixed * 1664525U + 1013904223U) >> 24);
  for (size_t from = 0; from < 9; from++) {
    for (size_t size : {size_t{0}, size_t{1}, size_t{1023}, size_t{1024}, size_t{1025},
                        size_t{1031}, size_t{19000}}) {
      const Bytes bytes(text.data() + from, size);
      CHECK(crc32c(bytes) == crc32c_by_table(bytes));
    }
  }
}

TEST_CASE("crc32c: in pieces as at once") {
  const std::string text(5000, 'x');
  for (size_t cut : {size_t{0}, size_t{7}, size_t{2000}, text.size()}) {
    const uint32_t first = crc32c(Bytes(text.data(), cut));
    CHECK(crc32c(Bytes(text.data() + cut, text.size() - cut), first) == crc32c(of(text)));
  }
}
