#include "tools/ctl/redis_repair.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <vector>

#include "core/util/display.h"
#include "core/util/fd.h"
#include "tools/ctl/daemon.h"
#include "tools/ctl/places.h"

namespace wbshim::ctl {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFiles = "appendonlydir";
constexpr const char* kManifest = "appendonlydir/appendonly.aof.manifest";

std::string time_stamp() {
  const time_t now = time(nullptr);
  struct tm parts = {};
  char text[32];
  gmtime_r(&now, &parts);
  return std::string(text, strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts));
}

// redis-check-aof --fix, which asks whether it may. True: it says that the file is whole now.
bool cut_torn_end(const std::string& program, const std::string& manifest) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  Fd read_end(ends[0]), write_end(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, read_end.get(), STDIN_FILENO);
  for (int fd : {STDOUT_FILENO, STDERR_FILENO})
    posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_WRONLY, 0);
  std::vector<std::string> environment = daemon_environment();
  std::vector<char*> envp;
  envp.reserve(environment.size() + 1);
  for (std::string& entry : environment) envp.push_back(entry.data());
  envp.push_back(nullptr);
  std::string arguments[] = {program, "--fix", manifest};
  char* argv[] = {arguments[0].data(), arguments[1].data(), arguments[2].data(), nullptr};
  pid_t pid = 0;
  const int failed = posix_spawn(&pid, program.c_str(), &actions, nullptr, argv, envp.data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return false;
  const char yes[] = "y\ny\ny\n";
  (void)!write(write_end.get(), yes, sizeof yes - 1);
  write_end.reset();
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

Repaired repair_redis(const std::string& dir, bool keep_file) {
  const std::string aside = dir + "/damaged-" + time_stamp(), files = dir + "/" + kFiles;
  std::error_code error;
  if (!fs::exists(files, error)) return {Outcome::failed("there is nothing to repair"), {}};
  if (keep_file) {
    const std::string program = find_program("redis-check-aof");
    if (program.empty()) return {Outcome::failed("there is no redis-check-aof"), {}};
    fs::copy(files, aside, fs::copy_options::recursive, error);
    if (error)
      return {Outcome::failed("cannot copy " + printable(files) + ": " + error.message()), {}};
    if (!cut_torn_end(program, dir + "/" + kManifest))
      return {Outcome::failed("redis-check-aof does not mend it"), {}};
    return {{}, "its torn end was cut off; the file as it was is kept in " + printable(aside)};
  }
  const std::string place = fs::exists(aside, error) ? aside + ".1" : aside;
  fs::rename(files, place, error);
  if (error)
    return {Outcome::failed("cannot move " + printable(files) + ": " + error.message()), {}};
  return {{}, "it was put aside as " + printable(place) + ", and Redis begins anew"};
}

}  // namespace wbshim::ctl
