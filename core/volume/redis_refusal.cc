#include "core/volume/redis_refusal.h"

#include <string_view>

namespace wbshim {
namespace {

struct Row {
  std::string_view code;
  const char* mend;
};

constexpr Row kRows[] = {
    {"OOM", "it is full: raise its maxmemory, or give it one of its own"},
    {"READONLY",
     "it is a replica that takes no writes: set WBSHIM_REDIS_URL to the primary, or make it one "
     "(REPLICAOF NO ONE)"},
    {"NOAUTH", "it asks for a password: put it into WBSHIM_REDIS_URL (redis://:PASSWORD@host)"},
    {"WRONGPASS", "user name or password refused: correct WBSHIM_REDIS_URL"},
    {"NOPERM", "its user may not do this: allow it the keys wbshim:* and all commands on them"},
    {"LOADING", "it loads its data and answers when it is done"},
    {"MISCONF", "it cannot save its data: mend its disk (its log says what is wrong)"},
    {"MASTERDOWN", "it is a replica without its primary: bring that back"},
    {"NOREPLICAS", "it has too few replicas to write: bring them back"},
    {"CLUSTERDOWN", "its cluster is down: bring that back"},
    {"BUSY", "it is busy with a script: wait, or SCRIPT KILL"},
    {"NOSCRIPT", "it forgets scripts at once: is there a proxy in between?"},
    {"ERR max number of clients reached", "raise its maxclients"},
    {"ERR AUTH", "it takes no password: remove it from WBSHIM_REDIS_URL"},
    {"ERR invalid password", "password refused: correct WBSHIM_REDIS_URL"},
    {"ERR DB index", "it has no such database: correct WBSHIM_REDIS_URL"},
    {"ERR invalid DB index", "it has no such database: correct WBSHIM_REDIS_URL"},
};

bool begins_with(std::string_view text, std::string_view head) {
  return text.substr(0, head.size()) == head;
}

}  // namespace

const char* redis_mend(const std::string& error) {
  // Redis 6 and older put the error of a command in a script at the end of a longer one.
  const size_t inner = error.rfind(": -");
  for (const Row& row : kRows) {
    if (begins_with(error, row.code)) return row.mend;
    if (inner != std::string::npos &&
        begins_with(std::string_view(error).substr(inner + 3), row.code))
      return row.mend;
  }
  return nullptr;
}

}  // namespace wbshim
