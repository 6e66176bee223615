#include <stdlib.h>

#include <algorithm>

#include "core/base/redis_link.h"
#include "core/util/bytes.h"
#include "core/util/config_loader.h"
#include "core/util/display.h"

namespace wbshim {
namespace {

// Absolute, and without empty, '.' or '..' parts. *mend: how to write it.
bool is_normal(std::string_view path, std::string* mend) {
  std::vector<std::string_view> parts;
  bool normal = !path.empty() && path.front() == '/' && (path.size() == 1 || path.back() != '/');
  size_t from = 0;
  while (from < path.size()) {
    const size_t end = std::min(path.find('/', from), path.size());
    const std::string_view part = path.substr(from, end - from);
    if (from > 0 && part.empty()) normal = false;
    if (part == "." || part == "..") normal = false;
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
    from = end + 1;
  }
  mend->clear();
  for (std::string_view part : parts) mend->append("/").append(part);
  if (mend->empty()) *mend = "/";
  return normal;
}

// A value that means the same as the default although it is written otherwise ("0" and "0K").
bool same_value(OptionKind kind, std::string_view a, std::string_view b) {
  uint64_t x = 0, y = 1;
  if (a == b) return true;
  if (kind == OptionKind::Size)
    return parse_size(bytes(a), &x) && parse_size(bytes(b), &y) && x == y;
  if (kind == OptionKind::Duration)
    return parse_duration_ms(bytes(a), &x) && parse_duration_ms(bytes(b), &y) && x == y;
  if (kind == OptionKind::Count)
    return parse_count(bytes(a), &x) && parse_count(bytes(b), &y) && x == y;
  return false;
}

}  // namespace

std::string canonical(const std::string& path) {
  std::string head = path, tail;
  while (head.size() > 1) {
    if (char* real = realpath(head.c_str(), nullptr)) {
      std::string found = real;
      free(real);
      return (found == "/" ? "" : found) + tail;
    }
    const size_t slash = head.rfind('/');
    if (slash == std::string::npos) break;
    tail.insert(0, head, slash, std::string::npos);
    head.resize(slash);
  }
  return path;
}

bool is_within(std::string_view path, std::string_view dir) {
  if (dir == "/") return true;
  return path.substr(0, dir.size()) == dir &&
         (path.size() == dir.size() || path[dir.size()] == '/');
}

Status ConfigLoader::check_kinds() const {
  for (Option option : all_options()) {
    const Setting& setting = config_.setting(option);
    if (setting.value.find('\0') != std::string::npos)
      return blame(option, "a NUL byte cannot stand there");
    if (const char* expected = check(row(option).kind, bytes(setting.value))) {
      // Which URLs only its row knows.
      const bool url = row(option).kind == OptionKind::Url;
      return blame(option, std::string("expected ") + (url ? row(option).sentence : expected));
    }
    if (row(option).ready == Readiness::Later && setting.origin != Origin::Default &&
        !same_value(row(option).kind, setting.value, row(option).fallback)) {
      const std::string fallback = row(option).fallback;
      return blame(option, "not available yet; leave it out" +
                               (fallback.empty() ? "" : ", or set it to " + fallback));
    }
  }
  if (text(Option::VOLUME) == "." || text(Option::VOLUME) == "..") {
    return blame(Option::VOLUME, "expected a name, not a directory's");
  }
  const uint64_t uploads = config_.count(Option::MAX_UPLOADS);
  if (uploads < 1 || uploads > 4096)
    return blame(Option::MAX_UPLOADS, "expected a number from 1 to 4096");
  if (config_.upload_deadline_ms() == 0 && config_.upload_delay_ms() != 0) {
    return blame(Option::UPLOAD_DEADLINE,
                 "expected more than 0; for uploads at once set WBSHIM_UPLOAD_DELAY to 0");
  }
  return Ok{};
}

Status ConfigLoader::check_places() {
  std::string mend;
  for (Option option : {Option::PREFIX, Option::STAGING_DIR, Option::LOG_FILE}) {
    const std::string& path = text(option);
    if (path.empty() && option == Option::LOG_FILE) continue;
    if (path.empty()) return blame(option, "it is empty; give an absolute path");
    const size_t most = option == Option::PREFIX        ? 255
                        : option == Option::STAGING_DIR ? 896
                                                        : 511;  // shim/settings.h
    if (path.size() > most)
      return blame(option,
                   "the path is too long; give one of at most " + std::to_string(most) + " bytes");
    if (path.front() != '/')
      return blame(option, "expected an absolute path, one that begins with '/'");
    if (!is_normal(path, &mend))
      return blame(option, "write it without '//', '.', '..' and a last '/': " + printable(mend));
    if (path == "/") return blame(option, "it cannot be '/'; give a directory below it");
  }
  const std::string& prefix = text(Option::PREFIX);
  const std::string& staging = text(Option::STAGING_DIR);
  for (const std::string& place : {prefix, canonical(prefix)}) {
    const std::string other = "the staging directory " + config_.shown(Option::STAGING_DIR) + " (" +
                              printable(config_.setting(Option::STAGING_DIR).where) +
                              "); choose two that lie apart";
    if (place == staging) return blame(Option::PREFIX, "it is " + other);
    if (is_within(place, staging)) return blame(Option::PREFIX, "it lies inside " + other);
    if (is_within(staging, place)) return blame(Option::PREFIX, "it contains " + other);
  }
  return Ok{};
}

Status ConfigLoader::check_addresses() {
  const std::string& staging = text(Option::STAGING_DIR);
  if (config_.is_default(Option::REDIS_URL) && staging.find_first_of("?%") != std::string::npos) {
    return blame(
        Option::STAGING_DIR,
        "a path with '?' or '%' cannot stand in a URL; choose another, or set WBSHIM_REDIS_URL");
  }
  RedisAddress redis;
  if (const char* wrong = redis.parse(bytes(text(Option::REDIS_URL)))) {
    return blame(Option::REDIS_URL,
                 std::string(wrong) + "; expected " + row(Option::REDIS_URL).sentence);
  }
  // A Unix address of the private server is the same by whatever route it is written.
  if (redis.kind == RedisAddress::Kind::Unix && redis.db == 0 && redis.password[0] == '\0' &&
      canonical(redis.path_or_host) == config_.in_staging("run/redis.sock")) {
    config_.settings_[static_cast<unsigned>(Option::REDIS_URL)].value =
        "unix://" + config_.in_staging("run/redis.sock");
  }
  const std::string store = text(Option::STORE_URL);
  if (store.compare(0, 5, "s3://") == 0) {
    if (store.size() == 5 || store[5] == '/')
      return blame(Option::STORE_URL, "the bucket is missing; expected s3://bucket/prefix");
    return Ok{};
  }
  if (store.compare(0, 8, "file:///") != 0) {
    return blame(Option::STORE_URL, std::string("expected ") + row(Option::STORE_URL).sentence);
  }
  const std::string dir = canonical(store.substr(7));
  if (is_within(dir, staging + "/tree") || is_within(staging + "/tree", dir)) {
    return blame(Option::STORE_URL,
                 "the store would hold the staged files themselves; choose another directory");
  }
  if (is_within(dir, text(Option::PREFIX))) {
    return blame(Option::STORE_URL, "the store would lie under the prefix " +
                                        config_.shown(Option::PREFIX) +
                                        "; choose another directory");
  }
  return Ok{};
}

}  // namespace wbshim
