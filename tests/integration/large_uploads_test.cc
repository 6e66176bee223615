// Uploads in parts, against a real Redis, a real tree and a store whose answers are chosen.
#include <fcntl.h>

#include "tests/integration/fake_parts.h"
#include "tests/integration/parts_fixture.h"
#include "tools/uploader/part_plan.h"

using namespace wbshim;
using Kind = UploadEvent::Kind;

namespace {

struct Fixture : test::PartsFixture {
  test::FakeParts parts{store};
  Uploads uploads{context};  // it asks the store for its parts when it is made
  Deletes deletes{context, uploads};

  Fixture() {
    uploads.on_event = [this](const UploadEvent& event) { events.push_back(event); };
  }
  void step() {
    uploads.kick();
    uploads.step(8);
    std::vector<Store::Extra> none;
    store.poll(none, 0);
  }
  template <typename Done>
  bool work(Done done) {
    for (uint64_t end = clock.now_ms() + 60000; !done() && clock.now_ms() < end; usleep(1000))
      step();
    return done();
  }
  bool stored() {
    return work([this] { return count(Kind::Stored) == 1; });
  }
  // 30 MiB: four parts.
  void large(const std::string& path, char fill = 'x') {
    file(path, std::string(size_t{30} << 20, fill));
    notice(path);
  }
  bool right(const std::string& path, char fill = 'x') {
    const auto& object = store.objects[path];
    const auto now = record(path);
    return object.bytes == std::string(size_t{30} << 20, fill) && now && !now->staged() &&
           object.meta.generation == now->generation && now->etag == store.etag(path);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "four parts, one object, dated by the renewed claim") {
  large("f");
  const uint64_t before = now();
  REQUIRE(stored());
  CHECK(right("f"));
  CHECK(parts.put_numbers.size() == 4);
  CHECK(store.objects["f"].dated_ms >= before);
  CHECK(parts.uploads.empty());
  CHECK(redis.command({"HLEN", volume.parts()}).integer == 0);
  CHECK(tally.upload_bytes == size_t{30} << 20);
  CHECK(uploads.bytes_in_flight() == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "written again while its parts are out: nothing of the old state is seen") {
  large("f");
  parts.decide = [this](const std::string& what) {
    if (what == "part 3" && parts.begun == 1) {
      parts.decide = nullptr;
      staging.write("tree/f", std::string(size_t{30} << 20, 'y'));
      notice("f");
    }
    return StoreOutcome::Stored;
  };
  REQUIRE(stored());
  CHECK(right("f", 'y'));
  CHECK(parts.completed == 1);
}

TEST_CASE_FIXTURE(
    Fixture, "changed where it was read already, and nobody published it: no mixture is seen") {
  large("f");
  parts.decide = [this](const std::string& what) {
    if (what == "part 2") {
      parts.decide = nullptr;
      const int fd = open(staging.at("tree/f").c_str(), O_WRONLY | O_CLOEXEC);
      CHECK(pwrite(fd, "y", 1, 0) == 1);
      close(fd);
    }
    return StoreOutcome::Stored;
  };
  REQUIRE(stored());
  CHECK(parts.completed == 1);
  CHECK(store.objects["f"].bytes == "y" + std::string((size_t{30} << 20) - 1, 'x'));
  CHECK(store.objects["f"].meta.generation == record("f")->generation);
}

TEST_CASE_FIXTURE(Fixture, "deleted while its parts are out: never completed, and the parts go") {
  large("f");
  parts.decide = [this](const std::string& what) {
    if (what == "part 4") {
      parts.decide = nullptr;
      unlink(staging.at("tree/f").c_str());
      notice("f", true);
    }
    return StoreOutcome::Stored;
  };
  REQUIRE(work([this] { return parts.begun == 1 && parts.uploads.empty(); }));
  CHECK(parts.completed == 0);
  CHECK(store.objects.empty());
  REQUIRE(work([this] { return redis.command({"HLEN", volume.parts()}).integer == 0; }));
}

TEST_CASE_FIXTURE(Fixture, "the claim is lost before the end: the parts are not made an object") {
  large("f");
  parts.decide = [this](const std::string& what) {
    if (what == "part 4") redis.command({"HDEL", volume.object(), "f"});
    if (what == "part 4") parts.decide = nullptr;
    return StoreOutcome::Stored;
  };
  REQUIRE(work([this] { return count(Kind::Later) == 1; }));
  CHECK(parts.completed == 0);
  REQUIRE(stored());  // with its next turn, by the parts that are there
  CHECK(right("f"));
  CHECK(parts.put_numbers.size() == 4);
}

TEST_CASE_FIXTURE(Fixture, "a part fails: the next try sends what is missing") {
  large("f");
  bool failed = false;
  parts.decide = [&](const std::string& what) {
    if (what != "part 2" || failed) return StoreOutcome::Stored;
    failed = true;
    return StoreOutcome::TryLater;
  };
  REQUIRE(stored());
  CHECK(failed);
  CHECK(right("f"));
  CHECK(parts.begun == 1);
  CHECK(parts.put_numbers.size() == 4);
}

TEST_CASE_FIXTURE(Fixture, "the last answer is lost: known as our own success by its ETag") {
  large("f");
  parts.decide = [this](const std::string& what) {
    if (what != "complete") return StoreOutcome::Stored;
    parts.decide = nullptr;
    return StoreOutcome::Unknown;
  };
  REQUIRE(stored());
  CHECK(right("f"));
  CHECK(parts.begun == 1);
  CHECK(parts.completed == 1);
  CHECK(parts.put_numbers.size() == 4);
}

TEST_CASE_FIXTURE(Fixture,
                  "the store has lost the upload: begun anew; again and again: a failure") {
  large("f");
  unsigned lost = 0;
  parts.decide = [&](const std::string& what) {
    if (what == "complete" && lost < 2) {
      lost++;
      parts.uploads.clear();
    }
    return StoreOutcome::Stored;
  };
  REQUIRE(stored());
  CHECK(lost == 2);
  CHECK(right("f"));
  CHECK(parts.begun == 3);
  large("g");
  parts.decide = [&](const std::string& what) {
    if (what == "complete") parts.uploads.clear();
    return StoreOutcome::Stored;
  };
  REQUIRE(work([this] { return count(Kind::Failed) > 0; }));
  CHECK(events.back().message.find("again and again") != std::string::npos);
  CHECK(record("g")->staged());
}

TEST_CASE_FIXTURE(Fixture, "another run's upload is gone on with; a damaged note is passed over") {
  large("f");
  large("g");
  parts.uploads["old"] = {"f", {}, {{1, std::string(kPartSize, 'x')}, {2, "wrong"}}};
  parts.begun = 7;
  const std::string field = volume.client + "/f";
  redis.command({"HSET", volume.parts(), field, std::to_string(kPartSize) + " 0:0:0:0:0 old"});
  redis.command({"HSET", volume.parts(), volume.client + "/g", "no number"});
  REQUIRE(work([this] { return count(Kind::Stored) == 2; }));
  CHECK(right("f"));
  CHECK(right("g"));
  CHECK(parts.begun == 8);  // for g
  CHECK(std::count(parts.put_numbers.begin(), parts.put_numbers.end(), 1U) == 1);
  CHECK(std::count(parts.put_numbers.begin(), parts.put_numbers.end(), 2U) == 2);
}

TEST_CASE_FIXTURE(Fixture,
                  "sent ahead while a program writes; the attributes are put right at the end") {
  redis.command({"HSET", volume.meta(), "unused", "1"});
  large("f", 'a');
  const int fd = open(staging.at("tree/f").c_str(), O_RDWR | O_CLOEXEC);
  REQUIRE(fd >= 0);
  uploads.large().written("f");
  REQUIRE(work([this] { return parts.put_numbers.size() >= 2; }));
  CHECK(store.objects.empty());
  CHECK(count(Kind::Stored) == 0);
  REQUIRE(pwrite(fd, "b", 1, 0) == 1);
  close(fd);
  test::wait_until_settled(staging.at("tree/f"));
  notice("f");
  REQUIRE(stored());
  CHECK(store.objects["f"].bytes == "b" + std::string((size_t{30} << 20) - 1, 'a'));
  CHECK(store.objects["f"].meta.generation == record("f")->generation);
  CHECK(std::count(parts.put_numbers.begin(), parts.put_numbers.end(), 1U) == 2);
  CHECK(std::count(parts.put_numbers.begin(), parts.put_numbers.end(), 2U) == 1);
  CHECK(tally.ahead_bytes >= 2 * kPartSize);
}

TEST_CASE_FIXTURE(Fixture, "sent ahead, closed, and deleted before its turn: the sweep finds it") {
  volume.delay_ms = volume.deadline_ms = 3600000;
  large("f", 'a');
  const int fd = open(staging.at("tree/f").c_str(), O_RDWR | O_CLOEXEC);
  uploads.large().written("f");
  REQUIRE(work([this] { return parts.put_numbers.size() >= 2; }));
  close(fd);
  REQUIRE(work([this] { return uploads.large().growing() == 0; }));
  uploads.large().sweep();
  for (int i = 0; i < 20; i++) step();
  CHECK(parts.uploads.size() == 1);  // its turn is to come
  unlink(staging.at("tree/f").c_str());
  notice("f", true);
  uploads.large().sweep();
  REQUIRE(work([this] { return parts.uploads.empty(); }));
  CHECK(redis.command({"HLEN", volume.parts()}).integer == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "a store that cannot copy gets it once more, with the right attributes") {
  large("f", 'a');
  const int fd = open(staging.at("tree/f").c_str(), O_RDWR | O_CLOEXEC);
  uploads.large().written("f");
  REQUIRE(work([this] { return parts.put_numbers.size() >= 2; }));
  close(fd);
  parts.decide = [](const std::string& what) {
    return what == "copy" ? StoreOutcome::Refused : StoreOutcome::Stored;
  };
  REQUIRE(stored());
  CHECK(right("f", 'a'));
  CHECK(parts.begun == 2);
}

TEST_CASE_FIXTURE(Fixture, "what nobody will finish is aborted by the sweep; what is due is kept") {
  parts.uploads["old"] = {"gone", {}, {}};
  parts.uploads["kept"] = {"f", {}, {}};
  volume.delay_ms = volume.deadline_ms = 3600000;
  large("f");
  for (const char* each : {"gone", "f"})
    redis.command({"HSET", volume.parts(), volume.client + "/" + each,
                   std::to_string(kPartSize) + " 0 " + (*each == 'g' ? "old" : "kept")});
  uploads.large().sweep();
  REQUIRE(work([this] { return parts.uploads.size() == 1; }));
  CHECK(parts.uploads.count("kept") == 1);
  CHECK(redis.command({"HLEN", volume.parts()}).integer == 1);
}
