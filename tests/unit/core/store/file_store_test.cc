#include "core/store/file_store.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <set>

#include "core/store/file_tree.h"
#include "tests/unit/core/store/drive.h"
#include "tests/unit/core/store/seed.h"
#include "tests/unit/support/scratch.h"

using namespace wbshim;
using enum StoreOutcome;
namespace fs = std::filesystem;

namespace {

struct Fixture {
  test::Scratch scratch;
  std::unique_ptr<Store> store = make_file_store(scratch.at("root"));
  test::Driver drive{*store};

  std::string at(const std::string& key) const { return scratch.at("root/" + key); }
  struct stat look(const std::string& key) const {
    struct stat st {};
    REQUIRE(lstat(at(key).c_str(), &st) == 0);
    return st;
  }
  bool exists(const std::string& key) const {
    struct stat st {};
    return lstat(at(key).c_str(), &st) == 0;
  }
  // Files that an operation left in .wbshim/tmp.
  size_t leftovers() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(at(".wbshim/tmp")), {}));
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "file store: a file is the plain file of that name") {
  const StoreResult put = drive.put("dir/name \xFF\n", "content", S_IFREG | 0640, 7);
  CHECK(put.outcome == Stored);
  CHECK(put.etag == sha256_hex("content"));
  CHECK(put.error_class == "");
  CHECK(scratch.read("root/dir/name \xFF\n") == "content");
  const struct stat st = look("dir/name \xFF\n");
  CHECK((st.st_mode & 07777) == 0640);
  CHECK(st.st_mtim.tv_sec == 1'600'000'000);
  CHECK(st.st_mtim.tv_nsec == 1);
  CHECK(leftovers() == 0);

  const StoreResult head = drive.head("dir/name \xFF\n");
  CHECK(head.outcome == Stored);
  CHECK(head.etag == put.etag);
  CHECK(head.generation == 7);
  CHECK(head.size == 7);
  const StoreResult get = drive.get("dir/name \xFF\n");
  CHECK(get.body == "content");
  CHECK(get.generation == 7);
}

TEST_CASE_FIXTURE(Fixture,
                  "file store: set-id bits are not set, and the store keeps its own access") {
  drive.put("setuid", "x", S_IFREG | 04755);
  CHECK((look("setuid").st_mode & 07777) == 0755);
  drive.put("secret", "x", S_IFREG | 0000);
  CHECK((look("secret").st_mode & 07777) == 0400);
  CHECK(drive.get("secret").body == "x");
  drive.put("closed/", "", S_IFDIR | 0555);
  CHECK((look("closed").st_mode & 07777) == 0755);
  CHECK(drive.put("closed/in", "x").outcome == Stored);
}

TEST_CASE_FIXTURE(Fixture, "file store: a newer object replaces the older, whatever its kind") {
  drive.put("k", "old", S_IFREG | 0444);
  CHECK(drive.put("k", "new", S_IFREG | 0644, 2).outcome == Stored);
  CHECK(drive.get("k").body == "new");
  CHECK(drive.head("k").generation == 2);
  CHECK(drive.put("k", "target", S_IFLNK | 0777, 3).outcome == Stored);
  CHECK(fs::read_symlink(at("k")) == "target");
  CHECK(drive.put("k", "file again", S_IFREG | 0644, 4).outcome == Stored);
  CHECK(S_ISREG(look("k").st_mode));
}

TEST_CASE_FIXTURE(Fixture, "file store: symbolic links are links, and are never followed") {
  const std::string outside = scratch.at("outside");
  fs::create_directory(outside);
  CHECK(drive.put("l", outside, S_IFLNK | 0777, 5).outcome == Stored);
  CHECK(fs::read_symlink(at("l")) == outside);
  CHECK(look("l").st_mtim.tv_sec == 1'600'000'000);
  const StoreResult get = drive.get("l");
  CHECK(get.body == outside);
  CHECK(get.generation == 5);
  CHECK(get.etag == sha256_hex(outside));
  CHECK(drive.head("l/x").outcome == Absent);
  CHECK(drive.remove("l/x").outcome == Stored);
  CHECK(drive.put("l/x", "inside").outcome == Stored);  // the link gives way
  CHECK(fs::is_empty(outside));
  CHECK(scratch.read("root/l/x") == "inside");
  CHECK(drive.put("bad", std::string("a\0b", 3), S_IFLNK | 0777).outcome == Refused);
  CHECK(drive.put("bad", "", S_IFLNK | 0777).outcome == Refused);
  CHECK(leftovers() == 0);
}

TEST_CASE_FIXTURE(Fixture, "file store: directories") {
  CHECK(drive.put("d/", "", S_IFDIR | 0750, 3).outcome == Stored);
  CHECK(S_ISDIR(look("d").st_mode));
  CHECK((look("d").st_mode & 07777) == 0750);
  CHECK(look("d").st_mtim.tv_sec == 1'600'000'000);
  CHECK(drive.head("d/").generation == 3);
  CHECK(drive.get("d/").body == "");
  CHECK(drive.head("d").outcome == Absent);  // another key
  drive.put("implied/file", "x");
  CHECK(drive.head("implied/").outcome == Absent);  // nobody put it
  CHECK(drive.put("implied/", "", S_IFDIR | 0700).outcome == Stored);
  CHECK(drive.head("implied/").outcome == Stored);
  CHECK(drive.get("implied/file").body == "x");
}

TEST_CASE_FIXTURE(Fixture, "file store: deleting") {
  drive.put("a/b/c", "x");
  drive.put("a/keep/", "", S_IFDIR | 0755);
  drive.put("a/keep/sub/f", "x");
  CHECK(drive.remove("a/b/c").outcome == Stored);
  CHECK_FALSE(exists("a/b"));  // left empty
  CHECK(exists("a/keep"));
  CHECK(drive.remove("a/keep/sub/f").outcome == Stored);
  CHECK_FALSE(exists("a/keep/sub"));
  CHECK(exists("a/keep"));                          // an object itself
  CHECK(drive.remove("a/keep").outcome == Stored);  // another key
  CHECK(exists("a/keep"));
  CHECK(drive.remove("a/keep/").outcome == Stored);
  CHECK_FALSE(exists("a"));
  CHECK(exists(".wbshim"));
  CHECK(drive.remove("a/keep/").outcome == Stored);
  CHECK(drive.remove("never/was").outcome == Stored);
  CHECK(drive.head("a/b/c").outcome == Absent);
  CHECK(drive.get("a/b/c").outcome == Absent);

  drive.put("full/", "", S_IFDIR | 0755);
  drive.put("full/f", "x");
  CHECK(drive.remove("full/").outcome == Stored);  // no object any more, but f needs it
  CHECK(drive.get("full/f").body == "x");
  CHECK(drive.remove("full/f").outcome == Stored);
  CHECK_FALSE(exists("full"));
}

TEST_CASE_FIXTURE(Fixture, "file store: one name cannot be file and directory") {
  drive.put("a", "file");
  CHECK(drive.put("a/b", "below").outcome == Stored);
  CHECK(drive.get("a/b").body == "below");
  CHECK(drive.head("a").outcome == Absent);

  const StoreResult blocked = drive.put("a", "file again");
  CHECK(blocked.outcome == TryLater);
  CHECK(blocked.error_class == "DirectoryInTheWay");
  CHECK(drive.get("a/b").body == "below");
  CHECK(leftovers() == 0);
  drive.remove("a/b");
  CHECK(drive.put("a", "file again").outcome == Stored);

  drive.put("d/", "", S_IFDIR | 0755);
  CHECK(drive.put("d", "an empty directory gives way").outcome == Stored);
  CHECK(drive.head("d/").outcome == Absent);
  CHECK(drive.remove("d/").outcome == Stored);
  CHECK(drive.get("d").body == "an empty directory gives way");
  CHECK(drive.put("d/", "", S_IFDIR | 0755).outcome == Stored);
  CHECK(S_ISDIR(look("d").st_mode));
}

TEST_CASE_FIXTURE(Fixture, "file store: keys that are no paths below the root are refused") {
  const std::string bad[] = {"",
                             "/",
                             "..",
                             ".",
                             "../x",
                             "a/../x",
                             "a/./x",
                             "/abs",
                             "a//b",
                             "a//",
                             "../",
                             "x/..",
                             ".wbshim",
                             ".wbshim/",
                             ".wbshim/tmp/x",
                             std::string("nul\0byte", 8)};
  for (const std::string& key : bad) {
    CAPTURE(key);
    for (const StoreResult& result :
         {drive.put(key, "x"), drive.remove(key), drive.head(key), drive.get(key)}) {
      CHECK(result.outcome == Refused);
      CHECK(result.error_class == "InvalidKey");
      CHECK(result.message.find('\n') == std::string::npos);
    }
  }
  CHECK(std::distance(fs::directory_iterator(scratch.path()), {}) == 1);
  CHECK(std::distance(fs::directory_iterator(at("")), {}) == 1);  // .wbshim
  CHECK(drive.put("a/.wbshim/x", "only the top is ours").outcome == Stored);
  CHECK(drive.put("...", "x").outcome == Stored);
  const StoreResult longer = drive.put(std::string(256, 'n'), "x");
  CHECK(longer.outcome == Refused);
  CHECK(longer.error_class == "KeyTooLong");
  std::string deep;  // longer than PATH_MAX, each segment short
  for (int i = 0; i < 60; i++) deep += std::string(99, 'd') + "/";
  CHECK(drive.put(deep + "f", "deep").outcome == Stored);
  CHECK(drive.get(deep + "f").body == "deep");
  CHECK(drive.remove(deep + "f").outcome == Stored);
}

TEST_CASE_FIXTURE(
    Fixture, "file store: a file changed behind its back has no generation, and its true ETag") {
  drive.put("k", "ours", S_IFREG | 0644, 9);
  scratch.write("root/k", "theirs");
  const StoreResult head = drive.head("k");
  CHECK(head.outcome == Stored);
  CHECK(head.generation == 0);
  CHECK(head.etag == sha256_hex("theirs"));
  CHECK(drive.get("k").etag == sha256_hex("theirs"));
  scratch.write("root/stranger", "came by cp");
  CHECK(drive.get("stranger").body == "came by cp");
  drive.put("k", "ours", S_IFREG | 0644, 10);
  fs::remove_all(at(".wbshim"));
  CHECK(drive.head("k").generation == 0);
  CHECK(drive.head("k").etag == sha256_hex("ours"));
  CHECK(drive.put("k2", "goes on").outcome == Stored);
}

TEST_CASE_FIXTURE(Fixture, "file store: operations complete in order, in poll() alone") {
  std::vector<std::string> order;
  const auto note = [&](const char* what) {
    return [&order, what](const StoreResult& r) {
      order.push_back(what + std::string(r.outcome == Stored ? "+" : "-"));
    };
  };
  for (int i = 0; i < 100; i++) {
    store->put("many/" + std::to_string(i), test::body_of("x"), test::meta_of(S_IFREG | 0644), 1,
               note("put"));
  }
  store->put("k", test::body_of("1"), test::meta_of(S_IFREG | 0644), 1, note("first"));
  store->remove("k", 1, note("remove"));
  store->head("k", note("head"));
  store->put("k", test::body_of("2"), test::meta_of(S_IFREG | 0644), 1, note("second"));
  store->get("k", note("get"));
  CHECK(order.empty());
  CHECK(store->in_flight() == 105);
  CHECK_FALSE(exists("k"));
  std::vector<Store::Extra> none;
  while (store->in_flight() > 0) store->poll(none, 0);
  REQUIRE(order.size() == 105);
  const std::vector<std::string> tail(order.end() - 5, order.end());
  CHECK(tail == std::vector<std::string>{"first+", "remove+", "head-", "second+", "get+"});
  CHECK(drive.get("k").body == "2");
  CHECK(leftovers() == 0);
}

TEST_CASE_FIXTURE(Fixture, "file store: a completion may start the next operation") {
  bool second = false;
  store->put("a", test::body_of("x"), test::meta_of(S_IFREG | 0644), 1, [&](const StoreResult&) {
    store->remove("a", 1, [&](const StoreResult&) { second = true; });
  });
  std::vector<Store::Extra> none;
  for (int i = 0; i < 3; i++) store->poll(none, 0);
  CHECK(second);
}

TEST_CASE_FIXTURE(Fixture, "file store: poll watches the caller's descriptors") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  std::vector<Store::Extra> extras = {{ends[0], POLLIN, 99}};
  store->poll(extras, 0);
  CHECK(extras[0].revents == 0);
  REQUIRE(write(ends[1], "x", 1) == 1);
  store->poll(extras, -1);
  CHECK((extras[0].revents & POLLIN) != 0);
  extras[0].revents = 0;
  store->put("k", test::body_of("x"), test::meta_of(S_IFREG | 0644), 1, [](const StoreResult&) {});
  store->poll(extras, -1);  // busy, and still looks
  CHECK((extras[0].revents & POLLIN) != 0);
  close(ends[0]);
  close(ends[1]);
}

TEST_CASE_FIXTURE(Fixture, "file store: probe") {
  CHECK(store->probe(1000).ok());
  CHECK(std::distance(fs::directory_iterator(at("")), {}) == 1);
  const std::string file = scratch.write("plain", "x");
  auto on_file = make_file_store(file + "/below");
  const auto status = on_file->probe(1000);
  REQUIRE_FALSE(status.ok());
  CHECK(status.message().find("file://" + file +
                              "/below: cannot make or open it: Not a directory") == 0);
  CHECK(status.message().find("WBSHIM_STORE_URL") != std::string::npos);
  const auto nowhere = make_file_store("/proc/nowhere")->probe(1000);
  REQUIRE_FALSE(nowhere.ok());
  CHECK(nowhere.message().find("set WBSHIM_STORE_URL to a directory") != std::string::npos);
  auto nested = make_file_store(scratch.at("made/on/the/way"));
  CHECK(nested->probe(1000).ok());
}

TEST_CASE_FIXTURE(Fixture, "file store: probe removes what killed processes left, after a day") {
  CHECK(store->probe(1000).ok());
  scratch.write("root/.wbshim/tmp/fresh", "perhaps another process is at it");
  CHECK(store->probe(1000).ok());
  CHECK(leftovers() == 1);
}

TEST_CASE_FIXTURE(Fixture, "file store: the root may go and come back") {
  drive.put("k", "x");
  fs::remove_all(scratch.at("root"));
  CHECK(drive.head("k").outcome == Absent);
  CHECK(drive.put("k", "again").outcome == Stored);
  CHECK(drive.get("k").body == "again");
}

// The store against a map from key to content, where no name is used as file and directory at once.
TEST_CASE_FIXTURE(Fixture, "file store: random operations agree with a model") {
  auto random = test::random_source("file store");
  std::map<std::string, std::string> model;
  const std::string names[] = {"f", "g", "d/f", "d/", "d/e/f", "d/e/", "x/y/z/f", "x/"};
  for (int step = 0; step < 3000; step++) {
    const std::string& key = names[random() % std::size(names)];
    const bool directory = key.back() == '/';
    const uint64_t what = random() % 4;
    if (what < 2) {
      const std::string bytes = directory ? "" : std::to_string(random() % 50);
      REQUIRE(drive.put(key, bytes, directory ? S_IFDIR | 0755 : S_IFREG | 0644).outcome == Stored);
      model[key] = bytes;
    } else if (what == 2) {
      REQUIRE(drive.remove(key).outcome == Stored);
      model.erase(key);
    } else {
      const StoreResult got = drive.get(key);
      REQUIRE(got.outcome == (model.count(key) > 0 ? Stored : Absent));
      if (got.outcome == Stored) REQUIRE(got.body == model[key]);
    }
    // On the disk: exactly the model's objects and the directories that they need.
    if (step % 50 != 0) continue;
    std::set<std::string> wanted;
    for (const auto& [each, content] : model) {
      for (size_t slash = each.find('/'); slash != std::string::npos;
           slash = each.find('/', slash + 1)) {
        wanted.insert(each.substr(0, slash));
      }
      if (each.back() != '/') wanted.insert(each);
    }
    std::set<std::string> found;
    for (auto it = fs::recursive_directory_iterator(at(""));
         it != fs::recursive_directory_iterator(); ++it) {
      if (it->path().filename() == kDotDir) {
        it.disable_recursion_pending();
        continue;
      }
      found.insert(fs::relative(it->path(), at("")).string());
    }
    REQUIRE(found == wanted);
  }
}

TEST_CASE_FIXTURE(Fixture, "file store: list shows what lies directly in a directory") {
  CHECK(drive.list("").objects.empty());
  drive.put("top", "12345");
  drive.put("d/a \xFF", "1");
  drive.put("d/l", "target", S_IFLNK | 0777);
  drive.put("d/s/deep", "2");
  drive.put("own/", "", S_IFDIR | 0755);
  scratch.write("root/d/foreign", "3");
  const auto keys = [&](const std::string& directory) {
    const Listing listing = drive.list(directory);
    CHECK(listing.outcome == Stored);
    CHECK(listing.next.empty());
    std::set<std::string> out(listing.directories.begin(), listing.directories.end());
    for (const ListedObject& object : listing.objects) out.insert(object.key);
    return out;
  };
  CHECK(keys("") == std::set<std::string>{"top", "d/", "own/"});  // nothing of .wbshim
  CHECK(keys("d/") == std::set<std::string>{"d/a \xFF", "d/l", "d/s/", "d/foreign"});
  CHECK(keys("own/") == std::set<std::string>{"own/"});
  CHECK(keys("no such/").empty());
  CHECK(keys("top/").empty());
  for (const ListedObject& object : drive.list("d/").objects)
    CHECK(object.etag.empty() == (object.key == "d/foreign"));
  CHECK(drive.list("").objects[0].size == 5);
  CHECK(drive.list("a//b/").outcome == Refused);
  const StoreResult head = drive.head("top");
  CHECK(head.meta.mode == (S_IFREG | 0644));
  CHECK(head.meta.uid == 12);
  CHECK(head.meta.mtime_ns == 1'600'000'000'000'000'001);
}
