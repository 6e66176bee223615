#include "core/volume/identity.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <thread>
#include <vector>

#include "tests/unit/support/scratch.h"

using namespace wbshim;

TEST_CASE("the client's id is made once, whoever comes first") {
  test::Scratch scratch;
  std::vector<std::string> ids(8);
  std::vector<std::thread> threads;
  threads.reserve(ids.size());
  for (std::string& id : ids) {
    threads.emplace_back([&id, &scratch] {
      auto made = client_id(scratch.path());
      if (made) id = made.value();
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(ids[0].size() == 16);
  for (const std::string& id : ids) CHECK(id == ids[0]);
  CHECK(scratch.read("client") == ids[0] + "\n");
  struct stat st = {};
  REQUIRE(stat(scratch.at("client").c_str(), &st) == 0);
  CHECK((st.st_mode & 0777) == 0600);
}

TEST_CASE("an id without a newline is one; a damaged file is a complaint, not a new client") {
  test::Scratch scratch;
  scratch.write("client", "0123456789abcdef");
  CHECK(client_id(scratch.path()).value() == "0123456789abcdef");
  scratch.write("client", "0123456789ABCDEF\n");
  auto damaged = client_id(scratch.path());
  REQUIRE_FALSE(damaged);
  CHECK(damaged.message().find("client") != std::string::npos);
  CHECK(scratch.read("client") == "0123456789ABCDEF\n");
}

TEST_CASE("small files: replaced whole, read to the end of the line, absent is empty") {
  test::Scratch scratch;
  CHECK(read_small_file(scratch.at("none")).empty());
  REQUIRE(write_small_file(scratch.at("x"), "one"));
  REQUIRE(write_small_file(scratch.at("x"), "two three"));
  CHECK(scratch.read("x") == "two three\n");
  CHECK(read_small_file(scratch.at("x")) == "two three");
  CHECK_FALSE(write_small_file(scratch.at("none/x"), "one"));
}

TEST_CASE("ids are random, boot ids are eight digits") {
  CHECK(random_id() != random_id());
  CHECK(random_id().size() == 16);
  CHECK(boot_id().size() == 8);
  CHECK(boot_id() == boot_id());
}
