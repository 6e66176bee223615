#include "tools/uploader/selftest.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>

#include "core/util/fd.h"
#include "tests/unit/support/scratch.h"
#include "tools/uploader/writers.h"

using namespace wbshim;

namespace {

SelftestFindings all_good() {
  SelftestFindings found;
  found.lease_sees_descriptor = found.lease_sees_mapping = found.lease_free_afterwards = true;
  found.tmpfile = found.exchange = found.beneath = true;
  return found;
}

bool overlay(const std::string& path) {
  return file_system_name(path) == "overlayfs";
}

}  // namespace

TEST_CASE("it leaves nothing behind, and a usual file system passes") {
  test::Scratch scratch;
  SelftestFindings found = try_out(scratch.path());
  CHECK(found.failure.empty());
  CHECK(std::filesystem::is_empty(scratch.path()));
  auto mode = judge(found, scratch.path());
  REQUIRE(mode);
  CHECK(mode.value().reduced == overlay(scratch.path()));
}

TEST_CASE("a directory that cannot be written is named") {
  SelftestFindings found = try_out("/proc");
  CHECK_FALSE(found.failure.empty());
  auto mode = judge(found, "/proc");
  REQUIRE_FALSE(mode);
  CHECK(mode.message().find("/proc") != std::string::npos);
}

TEST_CASE("what is missing is refused by name") {
  test::Scratch scratch;
  CHECK(judge(all_good(), scratch.path()));
  struct Row {
    bool SelftestFindings::*what;
    const char* word;
  };
  for (const Row& row :
       {Row{&SelftestFindings::tmpfile, "O_TMPFILE"}, Row{&SelftestFindings::exchange, "exchange"},
        Row{&SelftestFindings::beneath, "openat2"}}) {
    SelftestFindings found = all_good();
    found.*row.what = false;
    auto mode = judge(found, scratch.path());
    REQUIRE_FALSE(mode);
    CHECK(mode.message().find(row.word) != std::string::npos);
    CHECK(mode.message().find("tmpfs") != std::string::npos);
  }
}

TEST_CASE("leases that do not tell are refused outside overlayfs") {
  test::Scratch scratch;
  if (overlay(scratch.path())) return;
  SelftestFindings found = all_good();
  found.lease_sees_mapping = false;
  CHECK_FALSE(judge(found, scratch.path()));
}

TEST_CASE(
    "writers are seen: by descriptor, by a mapping that outlives it, by the lease and by /proc") {
  test::Scratch scratch;
  std::string path = scratch.write("file", std::string(4096, 'x'));
  Fd reader(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat st = {};
  REQUIRE(fstat(reader.get(), &st) == 0);
  LeaseTest lease;
  ProcTest processes;
  std::vector<WriterTest*> tests = {&processes};
  if (!overlay(scratch.path())) tests.push_back(&lease);
  for (WriterTest* test : tests) {
    CAPTURE(test->reduced());
    CHECK(test->test(reader.get(), st) == Writers::None);
    Fd writer(open(path.c_str(), O_RDWR | O_CLOEXEC));
    CHECK(test->test(reader.get(), st) == Writers::Some);
    void* at = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, writer.get(), 0);
    REQUIRE(at != MAP_FAILED);
    writer.reset();
    CHECK(test->test(reader.get(), st) == Writers::Some);
    munmap(at, 4096);
    CHECK(test->test(reader.get(), st) == Writers::None);
    void* copy = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, reader.get(), 0);
    CHECK(test->test(reader.get(), st) == Writers::None);
    munmap(copy, 4096);
  }
}
