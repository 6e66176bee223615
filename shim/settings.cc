#include "shim/settings.h"

#include "core/base/layout.h"
#include "core/base/options.h"
#include "core/base/text.h"
#include "shim/pool.h"

namespace wbshim {

constinit Settings settings;

namespace {

constexpr char kInert[] = "the library stays inert";

// Keeps a text; false when there is no room for it.
bool keep(Bytes value, const char** to) {
  const char* kept = pool::keep(value);
  if (kept) *to = kept;
  return kept != nullptr;
}

// The value of NAME in an environment; nullptr when it is not set.
const char* lookup(char** environment, Bytes name) {
  for (char** e = environment; e && *e; e++) {
    if (strncmp(*e, name.data, name.size) == 0 && (*e)[name.size] == '=') return *e + name.size + 1;
  }
  return nullptr;
}

// Absolute, without "//", "." and "..", without a trailing slash.
bool normal(Bytes path) {
  if (path.size < 2 || path.data[0] != '/' || path.data[path.size - 1] == '/') return false;
  for (size_t i = 0; i < path.size; i++) {
    if (path.data[i] != '/') continue;
    size_t n = 0;
    while (i + 1 + n < path.size && path.data[i + 1 + n] != '/') n++;
    const char* word = path.data + i + 1;
    if (n == 0 || (n == 1 && word[0] == '.') || (n == 2 && word[0] == '.' && word[1] == '.'))
      return false;
  }
  return true;
}

// Where no staging directory is set: the user's cache directory, as the tools compute it.
bool default_staging(char** environment, const char* volume, char* to, size_t room) {
  Text text(to, room);
  const char* cache = lookup(environment, "XDG_CACHE_HOME");
  const char* home = lookup(environment, "HOME");
  if (cache && cache[0] == '/') {
    text.add(cache);
  } else if (home && home[0] == '/') {
    text.add(home).add("/.cache");
  } else {
    return false;
  }
  return text.add("/wbshim/").add(volume).ok();
}

Bytes without_slashes(Bytes path) {
  while (path.size > 1 && path.data[path.size - 1] == '/') path.size--;
  return path;
}

}  // namespace

const char* Settings::take(unsigned option, Bytes value) {
  const OptionRow& r = kOptions[option];
  if (const char* wanted = check(r.kind, value)) return wanted;
  switch (static_cast<Option>(option)) {
    case Option::PREFIX:
      value = without_slashes(value);
      if (value.size > 0 && !normal(value)) return "an absolute path without . and ..";
      if (value.size > 255 || !keep(value, &prefix)) return "a shorter path";
      break;
    case Option::STAGING_DIR:
      value = without_slashes(value);
      if (value.size == 0 || value.data[0] != '/') return "an absolute path";
      if (value.size > kMaxStaging || !keep(value, &staging)) return "a shorter path";
      break;
    case Option::VOLUME:
      keep(value, &volume);
      break;
    case Option::REDIS_URL:
      keep(value, &redis_url);
      break;
    case Option::UPLOAD_DELAY:
      parse_duration_ms(value, &delay_ms);
      break;
    case Option::UPLOAD_DEADLINE:
      parse_duration_ms(value, &deadline_ms);
      break;
    case Option::WRITEBACK_MAX_SIZE:
      parse_size(value, &max_size);
      break;
    case Option::META:
      batch = value == Bytes("batch");
      break;
    case Option::DURABILITY:
      durability = parse_durability(value);
      break;
    case Option::LOG_FILE:
      keep(value, &log_file);
      break;
    case Option::LOG: {
      const Bytes levels[] = {"error", "warn", "info", "debug"};
      for (int i = 0; i < 4; i++) {
        if (value == levels[i]) log_level = i;
      }
      break;
    }
    default:
      break;
  }
  return nullptr;
}

bool Settings::place(Bytes where) {
  if (where.size > kMaxStaging || !keep(where, &staging)) return false;
  staging_size = where.size;
  const Bytes below("/tree");
  const char* kept = pool::keep(where, below);
  if (!kept) return false;
  tree = kept;
  tree_size = where.size + below.size;
  return true;
}

bool Settings::accept(Bytes name, Bytes value, Complaints* complaints) {
  for (unsigned i = 0; i < kOptionCount; i++) {
    const OptionRow& r = kOptions[i];
    if (!(name == Bytes(r.name))) continue;
    Bytes shown = r.kind == OptionKind::Url ? Bytes() : value;  // it may hold a password
    if (r.ready == Readiness::Later && !(value == Bytes(r.fallback)))
      complaints->add({name, shown, "its feature is not there yet", "it has no effect"});
    const char* expected = take(i, value);
    if (!expected) return true;
    // A mistake in what places the files makes the library inert; any other falls back to the
    // default.
    auto option = static_cast<Option>(i);
    bool fatal =
        option == Option::PREFIX || option == Option::STAGING_DIR || option == Option::VOLUME;
    complaints->add({name, shown, expected, fatal ? kInert : "its default is used"});
    return !fatal;
  }
  if (!(name == Bytes("FDS")))
    complaints->add(
        {name, value, "there is no such option (shim-ctl config lists them)", "it has no effect"});
  return true;
}

// One of the two lies in the other: files would be staged in themselves, or hide what is there.
bool Settings::apart() const {
  Bytes a(prefix, prefix_size), b(staging, staging_size);
  const Bytes& outer = a.size < b.size ? a : b;
  const Bytes& inner = a.size < b.size ? b : a;
  return !inner.starts_with(outer) || (inner.size > outer.size && inner.data[outer.size] != '/');
}

bool Settings::load(char** environment, Complaints* complaints) {
  on = false;
  const char* disabled = lookup(environment, "WBSHIM_DISABLE");
  if (disabled && strcmp(disabled, "0") != 0 && disabled[0] != '\0') return false;
  prefix = row(Option::PREFIX).fallback;
  volume = row(Option::VOLUME).fallback;
  // One pass: every process pays for this, and environments are long. What is wrong does not end
  // it, the log file may be named behind it.
  bool usable = true;
  for (char** e = environment; e && *e; e++) {
    if (strncmp(*e, "WBSHIM_", 7) != 0) continue;
    const char* equals = strchr(*e, '=');
    if (!equals) continue;
    Bytes name(*e + 7, static_cast<size_t>(equals - *e) - 7);
    usable = accept(name, equals + 1, complaints) && usable;
  }
  prefix_size = strlen(prefix);
  if (!usable || prefix_size == 0) return false;
  char fallback[kMaxStaging + 1];
  Bytes where(staging);
  if (where.size == 0 && default_staging(environment, volume, fallback, sizeof fallback))
    where = fallback;
  if (where.size == 0 || !place(where)) {
    complaints->add({"STAGING_DIR", where.size > 0 ? where : Bytes(),
                     where.size > 0 ? "a shorter path" : "it is not set, and neither is HOME",
                     kInert});
    return false;
  }
  if (!apart()) {
    complaints->add({"PREFIX", Bytes(prefix, prefix_size),
                     "it and the staging directory lie one in the other: choose two apart",
                     kInert});
    return false;
  }
  on = true;
  return true;
}

}  // namespace wbshim
