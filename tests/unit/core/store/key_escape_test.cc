#include "core/store/key_escape.h"

#include <doctest/doctest.h>

#include <set>

#include "tests/unit/core/store/seed.h"

using namespace wbshim;

TEST_CASE("escape: a table") {
  const std::pair<const char*, const char*> rows[] = {
      {"", ""},
      {"plain/name.txt", "plain/name.txt"},
      {"caf\xC3\xA9", "caf\xC3\xA9"},  // UTF-8 stays
      {"100%", "100%"},                // and so do ordinary '%'
      {"a%20b", "a%20b"},
      {"caf%C3%A9", "caf%C3%A9"},  // a downloaded name: its decoding is UTF-8
      {"%25", "%25"},
      {"caf\xE9", "caf%E9"},       // Latin-1
      {"100%\xFF", "100%25%FF"},   // the '%' of an escaped name
      {"caf%E9", "caf%25E9"},      // looks escaped: would decode to Latin-1
      {"caf%25E9", "caf%2525E9"},  // and so on
      {"%e9", "%e9"},              // lower case is never ours
      {"\xC3\xA9%E9", "\xC3\xA9%25E9"},
      {"%C3%A9%E9", "%C3%A9%E9"},                    // not ours: we would not escape the \xC3\xA9
      {"\xE9/a%41/\xFF/100%", "%E9/a%41/%FF/100%"},  // each segment for itself
      {"dir\xFF/", "dir%FF/"},
      {"\xC0\x80", "%C0%80"},                // overlong
      {"\xED\xA0\x80", "%ED%A0%80"},         // a surrogate
      {"\xF4\x90\x80\x80", "%F4%90%80%80"},  // beyond U+10FFFF
      {"\xE2\x82", "%E2%82"},                // cut short
      {"\xE2\x82\xAC\xE2", "\xE2\x82\xAC%E2"},
  };
  for (const auto& row : rows) {
    const std::string name = row.first;
    const std::string key = row.second;
    CAPTURE(name);
    CHECK(escape_key(name) == key);
    CHECK(unescape_key(key) == name);
    CHECK(is_utf8(escape_key(name)));
  }
}

TEST_CASE("escape: every short name over the awkward bytes comes back, and no two collide") {
  const std::string alphabet = "%258FEe/\xC3\xA9\xFF";
  std::set<std::string> keys;
  size_t names = 0;
  std::string name;
  const auto visit = [&](auto&& self, size_t left) -> void {
    const std::string key = escape_key(name);
    if (unescape_key(key) != name || !is_utf8(key)) FAIL("name " << name << " key " << key);
    keys.insert(key);
    names++;
    if (left == 0) return;
    for (const char c : alphabet) {
      name.push_back(c);
      self(self, left - 1);
      name.pop_back();
    }
  };
  visit(visit, 5);
  CHECK(keys.size() == names);
}

TEST_CASE("escape: random names come back") {
  auto random = test::random_source("escape");
  const char* pieces[] = {"%",        "%25",  "%2525", "%E9", "%FF", "%C3%A9",
                          "\xC3\xA9", "\xE9", "/",     "a",   "%4"};
  for (int round = 0; round < 100'000; round++) {
    std::string name;
    for (uint64_t n = random() % 8; n-- > 0;) {
      if (random() % 3 == 0) {
        name += static_cast<char>(1 + random() % 255);
      } else {
        name += pieces[random() % std::size(pieces)];
      }
    }
    const std::string key = escape_key(name);
    if (unescape_key(key) != name || !is_utf8(key)) FAIL("name " << name << " key " << key);
    // What the escape made is itself a name that can be stored.
    if (unescape_key(escape_key(key)) != key) FAIL("name " << name << " key " << key);
  }
}

TEST_CASE("escape: a directory's key is the beginning of its children's") {
  for (const char* directory : {"a%/", "\xFF/", "%E9/", "%25/"}) {
    for (const char* child : {"x", "\xFF", "%", "%E9"}) {
      const std::string key = escape_key(std::string(directory) + child);
      CHECK(key.rfind(escape_key(directory), 0) == 0);
    }
  }
}

TEST_CASE("escape: a long chain of escapes ends") {
  std::string name = "%FF";
  for (int i = 0; i < 60; i++) name = escape_key(name);
  for (int i = 0; i < 60; i++) name = unescape_key(name);
  CHECK(name == "%FF");
}
