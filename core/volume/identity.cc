#include "core/volume/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/base/keys.h"
#include "core/base/layout.h"
#include "core/base/text.h"
#include "core/util/display.h"
#include "core/util/fd.h"

namespace wbshim {
namespace {

bool is_id(const std::string& text) {
  return text.size() == 16 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::string trouble(const std::string& what, const std::string& path) {
  return what + " '" + printable(path) + "': " + strerror(errno);
}

// Value of "name:value\r\n" in an INFO text.
std::string info_field(const std::string& info, const std::string& name) {
  size_t at = info.rfind(name + ":", 0) == 0 ? 0 : info.find("\n" + name + ":");
  if (at == std::string::npos) return {};
  at = info.find(':', at) + 1;
  return info.substr(at, info.find_first_of("\r\n", at) - at);
}

}  // namespace

std::string random_id() {
  uint64_t value = 0;
  if (getrandom(&value, sizeof value, 0) != sizeof value)
    abort();  // it does not fail on Linux >= 3.17
  char room[17];
  Text text(room);
  text.hex(value, 16);
  return text.c_str();
}

std::string boot_id() {
  std::string id = read_small_file("/proc/sys/kernel/random/boot_id").substr(0, 8);
  return id.size() == 8 ? id : "00000000";
}

Status write_small_file(const std::string& path, const std::string& text, bool on_disk) {
  std::string fresh = path + "." + random_id() + ".tmp";
  Fd fd(open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return Error{trouble("cannot create", fresh)};
  std::string line = text + "\n";
  if (write(fd.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()) ||
      (on_disk && fsync(fd.get()) != 0) || rename(fresh.c_str(), path.c_str()) != 0) {
    Error error{trouble("cannot write", path)};
    unlink(fresh.c_str());
    return error;
  }
  return Ok{};
}

std::string read_small_file(const std::string& path) {
  Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  char room[512];
  ssize_t n = fd ? read(fd.get(), room, sizeof room) : -1;
  if (n <= 0) return {};
  std::string text(room, static_cast<size_t>(n));
  return text.substr(0, text.find('\n'));
}

Result<std::string> client_id(const std::string& staging) {
  std::string path = staging + "/" + layout::kClientId;
  for (int attempt = 0; attempt < 3; attempt++) {
    std::string id = read_small_file(path);
    if (is_id(id)) return id;
    if (access(path.c_str(), F_OK) == 0) {
      return Error{"'" + printable(path) +
                   "' is no client id (16 hex digits): remove it only if nothing is staged"};
    }
    // Made whole beside its place, then linked: nobody ever reads half of it, and the first one
    // wins.
    std::string fresh = path + "." + random_id() + ".tmp";
    Status written = write_small_file(fresh, random_id(), true);
    if (!written) return written.error();
    int linked = link(fresh.c_str(), path.c_str());
    int error = errno;
    unlink(fresh.c_str());
    if (linked != 0 && error != EEXIST) {
      errno = error;
      return Error{trouble("cannot create", path)};
    }
    Fd dir(open(staging.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (dir) (void)fsync(dir.get());
  }
  return Error{"cannot make '" + printable(path) + "'"};
}

Result<Epoch> join_volume(Redis& redis, const Volume& volume, const std::string& staging) {
  std::string path = staging + "/" + layout::kEpoch;
  std::string ours = read_small_file(path);
  if (!is_id(ours)) ours.clear();
  std::string meta = volume.meta();
  auto no_answer = [&](const Reply& reply) {
    return Error{"Redis did not answer about volume '" + volume.name +
                 "': " + (reply.error() ? printable(reply.text) : redis.trouble())};
  };
  std::string offer = ours.empty() ? random_id() : ours;
  // Set by whoever comes first; nothing else is touched when the format is not ours.
  auto settle = [&](const char* field, const std::string& value) {
    redis.command({"HSETNX", meta, field, value});
    return redis.command({"HGET", meta, field});
  };
  Reply format = settle("format", keys::kFormat);
  if (format.kind != Reply::Kind::Text) return no_answer(format);
  if (format.text != keys::kFormat) {
    return Error{"volume '" + volume.name + "' in Redis has format '" + printable(format.text) +
                 "', this is for format '" + keys::kFormat + "': use the wbshim that made it"};
  }
  Reply owner = settle("client", volume.client);
  if (owner.kind != Reply::Kind::Text) return no_answer(owner);
  const std::string& client = owner.text;
  if (client != volume.client) {
    return Error{"volume '" + volume.name + "' in Redis belongs to another client (" +
                 printable(client) +
                 "): choose another WBSHIM_VOLUME, use that client's staging directory, or, if it "
                 "is gone for "
                 "good, `redis-cli HDEL " +
                 meta + " client`"};
  }
  Reply fresh = redis.command({"HSETNX", meta, "epoch", offer});
  Reply now = redis.command({"HGET", meta, "epoch"});
  if (!fresh || now.kind != Reply::Kind::Text) return no_answer(fresh ? now : fresh);
  Epoch epoch{now.text, fresh.integer == 1, !ours.empty() && now.text != ours};
  if (now.text != ours) {
    Status written = write_small_file(path, now.text);
    if (!written) return written.error();
  }
  return epoch;
}

void leave_volume(Redis& redis, const Volume& volume) {
  redis.command({"HDEL", volume.meta(), "client", "epoch"});
}

// What to do about a Redis that does not do what it is asked, by its own words.
std::string redis_advice(const std::string& trouble) {
  const auto says = [&](const char* word) { return trouble.find(word) != std::string::npos; };
  if (says("NOAUTH") || says("WRONGPASS") || says("password"))
    return "put the right user and password into the URL";
  if (says("NOPERM")) return "the user in the URL must be allowed all commands on keys wbshim:*";
  if (says("database") || says("DB index")) return "name a database that exists";
  if (says("LOADING")) return "it still reads its data: try again";
  return "is it running, and is the URL right?";
}

Status probe_redis(Redis& redis, const Config& config) {
  const auto complaint = [&](const std::string& what) {
    return Error{config.complaint(Option::REDIS_URL, what)};
  };
  const auto refusal = [&](const std::string& why) {
    return complaint("Redis does not answer as it should (" + why + "); " + redis_advice(why));
  };
  if (!redis.connect()) return refusal(redis.trouble());
  Reply pong = redis.command({"PING"});
  if (!pong) return refusal(pong.error() ? printable(pong.text) : redis.trouble());
  Reply policy = redis.command({"CONFIG", "GET", "maxmemory-policy"});
  std::string value = policy.items.size() == 2 ? policy.items[1].text : "";
  if (value.empty()) {
    // A hosted Redis may forbid CONFIG; INFO says the same.
    Reply info = redis.command({"INFO", "memory"});
    value = info_field(info.text, "maxmemory_policy");
  }
  if (!value.empty() && value != "noeviction") {
    return complaint("its maxmemory-policy is " + printable(value) +
                     ", so it may drop records of files: set it to noeviction");
  }
  if (!redis.load_scripts()) return refusal(redis.trouble());
  return Ok{};
}

std::string redis_run_id(Redis& redis) {
  return info_field(redis.command({"INFO", "server"}).text, "run_id");
}

}  // namespace wbshim
