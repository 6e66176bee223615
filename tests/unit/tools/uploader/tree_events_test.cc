// What both of the kernel's ways must tell of a tree. Where the kernel forbids fanotify, its half shows
// that the choice falls on inotify, and says why.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include <algorithm>

#include "core/util/clock.h"
#include "tests/unit/support/scratch.h"
#include "tools/uploader/tree_source.h"

using namespace wbshim;

namespace {

struct ByInotify {
  static constexpr const char* kName = "inotify";
};
struct ByFanotify {
  static constexpr const char* kName = "fanotify";
};

Tree make_tree(const test::Scratch& staging) {
  REQUIRE(mkdir(staging.at("tree").c_str(), 0700) == 0);
  return std::move(Tree::open(staging.path(), "/wb").value());
}

template <class Kind>
struct Fixture {
  test::Scratch staging;
  SystemClock clock;
  Tree tree = make_tree(staging);
  TreeSource events{tree, clock, Kind::kName};

  // False: the kernel forbids it, and the fallback has been seen to be taken and named.
  bool allowed() {
    if (events.name() == Kind::kName) return true;
    TreeSource fallback(tree, clock, "");
    MESSAGE("the kernel forbids ", Kind::kName, " here: ", events.reason());
    CHECK(events.name() == "none");
    CHECK(fallback.name() == "inotify");
    CHECK(fallback.reason() == events.reason());
    CHECK_FALSE(fallback.reason().empty());
    return false;
  }
  std::string at(const std::string& path) const { return staging.at("tree/" + path); }
  void directory(const std::string& path) const { REQUIRE(mkdir(at(path).c_str(), 0755) == 0); }
  void file(const std::string& path) const { staging.write("tree/" + path, "text"); }
  void move(const std::string& from, const std::string& to) const {
    REQUIRE(rename(at(from).c_str(), at(to).c_str()) == 0);
  }
  void build() {
    std::vector<TreeEvent> before;
    events.rebuild();
    while (events.step(10, before)) {
    }
    CHECK_FALSE(events.building());
    heard();
  }
  // Each name once, sorted; "below" is marked by a trailing slash.
  std::vector<std::string> heard() {
    std::vector<TreeEvent> all;
    bool some = true;
    for (bool more = false; some || more;) {
      some = events.take(all);
      more = events.step(10, all);
    }
    std::vector<std::string> names;
    names.reserve(all.size());
    for (const TreeEvent& event : all) names.push_back(event.path + (event.below ? "/" : ""));
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
  }
  bool hears(const std::vector<std::string>& wanted) {
    std::vector<std::string> names = heard();
    for (const std::string& name : wanted)
      if (std::find(names.begin(), names.end(), name) == names.end()) return false;
    return true;
  }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_SUITE_BEGIN("tree events");

TEST_CASE_TEMPLATE("files: made, changed, removed, linked; each by its name", Kind, ByInotify,
                   ByFanotify) {
  Fixture<Kind> f;
  if (!f.allowed()) return;
  f.directory("d");
  f.directory("d/e");
  f.file("d/e/old");
  f.build();
  CHECK(f.heard().empty());
  f.file("d/e/new");
  CHECK(f.heard() == Names{"d/e/new"});
  unlink(f.at("d/e/old").c_str());
  chmod(f.at("d/e").c_str(), 0700);
  CHECK(f.heard() == Names{"d/e", "d/e/old"});
  REQUIRE(symlink("d", f.at("l").c_str()) == 0);
  REQUIRE(link(f.at("d/e/new").c_str(), f.at("hard").c_str()) == 0);
  CHECK(f.hears({"l", "hard"}));
  f.move("d/e/new", "d/there");
  CHECK(f.heard() == Names{"d/e/new", "d/there"});
  Fd open(::open(f.at("hard").c_str(), O_WRONLY));
  REQUIRE(write(open.get(), "x", 1) == 1);
  CHECK(f.heard().empty());
  open.reset();
  CHECK(f.heard() == Names{"hard"});
}

TEST_CASE_TEMPLATE("new directories, filled at once; and what is changed in them later", Kind,
                   ByInotify, ByFanotify) {
  Fixture<Kind> f;
  if (!f.allowed()) return;
  f.build();
  for (const char* name : {"a", "a/b", "a/b/c"}) f.directory(name);
  f.file("a/b/c/f");
  CHECK(f.heard() == Names{"a", "a/b", "a/b/c", "a/b/c/f"});
  f.file("a/b/c/g");
  CHECK(f.heard() == Names{"a/b/c/g"});
}

TEST_CASE_TEMPLATE("renamed directories: both names with all below them, then the new one", Kind,
                   ByInotify, ByFanotify) {
  Fixture<Kind> f;
  if (!f.allowed()) return;
  for (const char* name : {"a", "a/b", "c", "c/in"}) f.directory(name);
  f.build();
  f.file("a/b/before");
  f.move("a", "z");
  f.file("z/b/f");
  CHECK(f.hears({"a/", "z/"}));
  f.file("z/b/g");
  CHECK(f.heard() == Names{"z/b/g"});
  f.move("z", "y");
  f.directory("z");
  REQUIRE(renameat2(AT_FDCWD, f.at("c").c_str(), AT_FDCWD, f.at("y").c_str(), RENAME_EXCHANGE) ==
          0);
  CHECK(f.hears({"c/", "y/", "z/"}));
  for (const char* name : {"c/b/1", "y/in/2", "z/3"}) f.file(name);
  CHECK(f.heard() == Names{"c/b/1", "y/in/2", "z/3"});
  CHECK_FALSE(f.events.losses().events);
}

TEST_CASE_TEMPLATE("what leaves the tree, what comes in, what is beside it", Kind, ByInotify,
                   ByFanotify) {
  Fixture<Kind> f;
  if (!f.allowed()) return;
  f.directory("d");
  f.directory("d/e");
  f.build();
  f.staging.write("tree2/f", "x");
  f.staging.write("tre", "x");
  CHECK(f.heard().empty());
  REQUIRE(rename(f.at("d").c_str(), f.staging.at("out").c_str()) == 0);
  CHECK(f.heard() == Names{"d/"});
  f.staging.write("out/e/f", "x");
  CHECK(f.heard().empty());
  REQUIRE(rename(f.staging.at("out").c_str(), f.at("back").c_str()) == 0);
  CHECK(f.hears({"back/"}));
  f.file("back/e/g");
  CHECK(f.heard() == Names{"back/e/g"});
}

TEST_CASE_TEMPLATE("directories that are gone when their events are read", Kind, ByInotify,
                   ByFanotify) {
  Fixture<Kind> f;
  if (!f.allowed()) return;
  for (const char* name : {"d", "d/e", "x (deleted)"}) f.directory(name);
  f.build();
  f.file("d/e/f");
  f.file("x (deleted)/f");
  unlink(f.at("d/e/f").c_str());
  rmdir(f.at("d/e").c_str());
  rmdir(f.at("d").c_str());
  Names names = f.heard();
  CHECK(std::count(names.begin(), names.end(), "x (deleted)/f") == 1);
  // inotify tells every name.
  const bool by_handle = std::string(Kind::kName) == "fanotify";
  CHECK(std::count(names.begin(), names.end(), by_handle ? "d/" : "d") == 1);
  // Gone, and held: it has a path that looks like the other's.
  f.directory("x");
  Fd held(open(f.at("x").c_str(), O_RDONLY | O_DIRECTORY));
  REQUIRE(rmdir(f.at("x").c_str()) == 0);
  fchmod(held.get(), 0700);
  for (const std::string& name : f.heard()) CHECK(name.substr(0, name.find('/')) == "x");
  TreeLoss loss = f.events.losses();
  CHECK_FALSE(loss.events);
  CHECK_FALSE(loss.directories);
}

TEST_CASE_TEMPLATE("paths that are too long for /proc", Kind, ByInotify, ByFanotify) {
  Fixture<Kind> f;
  if (!f.allowed()) return;
  const std::string name(250, 'n');
  std::string path;
  Fd at(f.tree.open_beneath("", O_PATH | O_DIRECTORY));
  for (int i = 0; i < 20; i++) {
    REQUIRE(mkdirat(at.get(), name.c_str(), 0755) == 0);
    at.reset(openat(at.get(), name.c_str(), O_PATH | O_DIRECTORY));
    path += name + "/";
  }
  f.build();
  Fd(openat(at.get(), "f", O_CREAT | O_WRONLY, 0644)).reset();
  // inotify reaches what open() does.
  if (std::string(Kind::kName) == "fanotify") {
    CHECK(f.heard() == Names{path + "f"});
    CHECK_FALSE(f.events.losses().events);
  }
}

TEST_CASE_TEMPLATE("the queue runs over: it is said, and what comes then is told", Kind, ByInotify,
                   ByFanotify) {
  Fixture<Kind> f;
  if (!f.allowed()) return;
  f.build();
  size_t most = 0;
  std::ifstream(std::string("/proc/sys/fs/") + Kind::kName + "/max_queued_events") >> most;
  REQUIRE(most > 0);
  REQUIRE(most < 1000000);
  // Names differ, or the kernel joins what it has queued.
  for (size_t i = 0; i <= most / 2; i++) {
    std::string name = f.at("f" + std::to_string(i));
    close(open(name.c_str(), O_CREAT | O_WRONLY, 0644));
    unlink(name.c_str());
    REQUIRE(symlink("x", f.at("l" + std::to_string(i)).c_str()) == 0);
  }
  f.heard();
  CHECK(f.events.losses().events);
  CHECK_FALSE(f.events.losses().events);
  f.build();
  f.file("later");
  CHECK(f.heard() == Names{"later"});
}

TEST_CASE("a disk that is busy with others: inotify takes over, the scan is asked for") {
  test::Scratch staging;
  SystemClock clock;
  Tree tree = make_tree(staging);
  TreeSource events(tree, clock, "");
  if (events.name() != "fanotify") {
    MESSAGE("the kernel forbids fanotify here: ", events.reason());
    CHECK(events.name() == "inotify");
    return;
  }
  std::vector<TreeEvent> heard;
  for (int round = 0; round < 200 && events.name() == "fanotify"; round++) {
    for (int i = 0; i < 4000; i++) {
      std::string name = staging.at("f" + std::to_string(round * 4000 + i));
      REQUIRE(mknod(name.c_str(), S_IFREG | 0600, 0) == 0);
      unlink(name.c_str());
    }
    events.take(heard);
  }
  CHECK(events.name() == "inotify");
  CHECK(events.reason() == "the disk is busy with other directories");
  CHECK(events.losses().directories);
  CHECK_FALSE(events.losses().directories);
  while (events.step(10, heard)) {
  }
  heard.clear();
  staging.write("tree/f", "x");
  CHECK(events.take(heard));
  CHECK(heard.front().path == "f");
}

TEST_SUITE_END();
