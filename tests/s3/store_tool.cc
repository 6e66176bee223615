// The object store from the command line, for tests: WBSHIM_* and AWS_* as for the uploader.
//   store_tool probe
//   store_tool put KEY FILE MODE UID GID MTIME_NS GENERATION     MODE decimal, with type bits
//   store_tool fill PREFIX COUNT SIZE                            COUNT puts at once: PREFIX/000000
//   … store_tool get KEY FILE store_tool head KEY store_tool remove KEY
//   store_tool list DIRECTORY     all pages: "pages N", and "listing" with one JSON object
// STORE_TOOL_SKEW_S: seconds that the claims' clock is ahead. STORE_TOOL_AGAIN=1: what was refused and
// is mended goes again, as it would from the uploader.
// Prints "outcome <name>", then "class", "message", "etag", "generation", "size" lines as they
// apply; fill prints "stored N". Exit status: 0 Stored, 1 anything else, 2 wrong usage.
#include <sys/stat.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

#include "core/store/crypto.h"
#include "core/store/store_options.h"
#include "core/util/json.h"

namespace {

using namespace wbshim;

constexpr int kProbeTimeout_ms = 10'000;
constexpr int kPoll_ms = 1000;

std::string variable(const char* name, const char* otherwise) {
  const char* value = getenv(name);
  return value != nullptr ? value : otherwise;
}

uint64_t now_ms() {
  static const int64_t skew_ms = std::stoll(variable("STORE_TOOL_SKEW_S", "0")) * 1000;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  return static_cast<uint64_t>(ms + skew_ms);
}

const char* name_of(StoreOutcome outcome) {
  constexpr const char* kNames[] = {"Stored",      "Absent",   "Refused", "Blocked",
                                    "Credentials", "TryLater", "Unknown"};
  return kNames[static_cast<int>(outcome)];
}

int print(const StoreResult& result) {
  printf("outcome %s\n", name_of(result.outcome));
  if (!result.error_class.empty()) printf("class %s\n", result.error_class.c_str());
  if (!result.message.empty()) printf("message %s\n", result.message.c_str());
  if (!result.etag.empty()) printf("etag %s\n", result.etag.c_str());
  printf("generation %llu\nsize %llu\n", static_cast<unsigned long long>(result.generation),
         static_cast<unsigned long long>(result.size));
  return result.outcome == StoreOutcome::Stored ? 0 : 1;
}

std::shared_ptr<const Body> body_of(std::string bytes) {
  auto body = std::make_shared<Body>();
  body->sha256_hex = sha256_hex(bytes);
  body->bytes = std::move(bytes);
  return body;
}

void drain(Store& store) {
  std::vector<Store::Extra> none;
  while (store.in_flight() > 0) store.poll(none, kPoll_ms);
}

int fill(Store& store, const std::string& prefix, int count, size_t size) {
  int stored = 0;
  StoreResult last_failure;
  ObjectMeta meta;
  meta.mode = S_IFREG | 0644;
  for (int i = 0; i < count; i++) {
    char number[16];
    (void)snprintf(number, sizeof number, "/%06d", i);
    std::string bytes(size, 'x');
    memcpy(bytes.data(), number, std::min(size, sizeof number));
    meta.generation = static_cast<uint64_t>(i) + 1;
    store.put(prefix + number, body_of(std::move(bytes)), meta, now_ms(), [&](StoreResult result) {
      if (result.outcome == StoreOutcome::Stored) {
        stored++;
      } else {
        last_failure = std::move(result);
      }
    });
  }
  drain(store);
  printf("stored %d\n", stored);
  return stored == count ? 0 : print(last_failure);
}

int list(Store& store, const std::string& directory) {
  Json objects = Json::array(), directories = Json::array(), all = Json::object();
  std::string page;
  int pages = 0;
  do {
    Listing listing;
    store.list(directory, page, [&](Listing found) { listing = std::move(found); });
    drain(store);
    if (listing.outcome != StoreOutcome::Stored) {
      StoreResult result;
      result.outcome = listing.outcome;
      result.error_class = listing.error_class;
      result.message = listing.message;
      return print(result);
    }
    for (const ListedObject& each : listing.objects) {
      Json object = Json::object();
      object.set("key", each.key).set("etag", each.etag).set("size", each.size);
      objects.push(std::move(object));
    }
    for (const std::string& each : listing.directories) directories.push(Json(each));
    page = listing.next;
    pages++;
  } while (!page.empty());
  all.set("objects", std::move(objects)).set("directories", std::move(directories));
  printf("outcome Stored\npages %d\nlisting %s\n", pages, all.dump().c_str());
  return 0;
}

int usage() {
  (void)fprintf(stderr,
                "usage: store_tool probe | put KEY FILE MODE UID GID MTIME_NS GENERATION | "
                "fill PREFIX COUNT SIZE | get KEY FILE | head KEY | remove KEY | "
                "list DIRECTORY\n");
  return 2;
}

// put, get, head or remove; false: it is none of them.
bool start(Store& store, const std::vector<std::string>& args, const Store::Done& keep) {
  const std::string command = args.empty() ? "" : args[0];
  if (command == "put" && args.size() == 8) {
    std::ifstream file(args[2], std::ios::binary);
    ObjectMeta meta;
    meta.mode = static_cast<uint32_t>(std::stoul(args[3]));
    meta.uid = static_cast<uint32_t>(std::stoul(args[4]));
    meta.gid = static_cast<uint32_t>(std::stoul(args[5]));
    meta.mtime_ns = std::stoll(args[6]);
    meta.generation = std::stoull(args[7]);
    store.put(args[1], body_of({std::istreambuf_iterator<char>(file), {}}), meta, now_ms(), keep);
  } else if (command == "get" && args.size() == 3) {
    store.get(args[1], keep);
  } else if (command == "head" && args.size() == 2) {
    store.head(args[1], keep);
  } else if (command == "remove" && args.size() == 2) {
    store.remove(args[1], now_ms(), keep);
  } else {
    return false;
  }
  return true;
}

int run(Store& store, const std::vector<std::string>& args) {
  const std::string command = args.empty() ? "" : args[0];
  StoreResult result;
  const auto keep = [&](StoreResult r) { result = std::move(r); };
  if (command == "probe" && args.size() == 1) {
    const auto status = store.probe(kProbeTimeout_ms);
    printf("outcome %s\n", status ? "Stored" : "Refused");
    if (!status) printf("message %s\n", status.message().c_str());
    return status ? 0 : 1;
  }
  if (command == "fill" && args.size() == 4) {
    return fill(store, args[1], std::stoi(args[2]), std::stoul(args[3]));
  }
  if (command == "list" && args.size() == 2) return list(store, args[1]);
  int tries = variable("STORE_TOOL_AGAIN", "") == "1" ? 3 : 1;
  do {
    result = {};
    if (!start(store, args, keep)) return usage();
    drain(store);
  } while (result.mended && --tries > 0);
  if (command == "get" && result.outcome == StoreOutcome::Stored) {
    std::ofstream(args[2], std::ios::binary) << result.body;
  }
  return print(result);
}

}  // namespace

int main(int argc, char** argv) {
  const auto config = Config::load(ConfigSources::system());
  if (!config) {
    printf("outcome Refused\nmessage %s\n", config.message().c_str());
    return 1;
  }
  auto store = open_store(store_options(config.value(), config.value().max_uploads()));
  if (!store) {
    printf("outcome Refused\nmessage %s\n", store.message().c_str());
    return 1;
  }
  return run(*store.value(), {argv + 1, argv + argc});
}
