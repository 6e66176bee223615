#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/base/script.h"
#include "core/util/clock.h"
#include "core/util/display.h"
#include "core/util/fd.h"
#include "scripts.h"
#include "tools/ctl/checks.h"
#include "tools/ctl/mount_namespace.h"
#include "tools/ctl/places.h"
#include "tools/ctl/preload.h"

namespace wbshim::ctl {
namespace {

constexpr uint64_t kProbeBoundMs = 10000;

// What a shell with the library says: whether the library is in its memory, and whether the prefix
// is the tree for it. Everything it needs is built in.
constexpr const char* kProbe = R"(while read -r line; do
  case $line in */libwbshim.so) echo loaded; break;; esac
done < /proc/self/maps
[ "$WBSHIM_PREFIX" -ef "$WBSHIM_STAGING_DIR/tree" ] && echo mapped)";

struct Said {
  std::string text;   // both streams
  bool asked = true;  // false: text says why not
  bool late = false;
  int signal = 0;  // that ended the child
};

// Runs `body` in a child whose two streams are read; the child ends when body returns.
template <typename Body>
Said listen_to(Body body) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return {std::string("no pipe: ") + strerror(errno), false};
  const Fd from(ends[0]);
  Fd to(ends[1]);
  const pid_t child = fork();
  if (child == 0) {
    dup2(to.get(), STDOUT_FILENO);
    dup2(to.get(), STDERR_FILENO);
    body();
    _exit(0);
  }
  to.reset();
  Said said;
  const SystemClock clock;
  const uint64_t end = clock.now_ms() + kProbeBoundMs;
  char room[4096];
  for (bool more = child > 0; more;) {
    const uint64_t now = clock.now_ms();
    pollfd wait{from.get(), POLLIN, 0};
    const int ready = now < end ? poll(&wait, 1, static_cast<int>(end - now)) : 0;
    if (ready < 0 && errno == EINTR) continue;
    said.late = ready == 0;
    const ssize_t n = ready > 0 ? read(from.get(), room, sizeof room) : 0;
    more = n > 0;
    if (more) said.text.append(room, static_cast<size_t>(n));
  }
  if (said.late) kill(child, SIGKILL);
  int status = 0;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) said.signal = WTERMSIG(status);
  return said;
}

bool take_line(std::string& text, const std::string& line) {
  const size_t at = text.find(line + "\n");
  if (at == std::string::npos) return false;
  text.erase(at, line.size() + 1);
  return true;
}

// The environment of `run`, but a staging directory of its own, so that ours need not be there.
void become_probe(const Config& config, const std::string& library, const std::string& staging) {
  const char* preloaded = getenv("LD_PRELOAD");
  for (const auto& [name, value] :
       preload_variables(config, library, preloaded != nullptr ? preloaded : ""))
    setenv(name.c_str(), value.c_str(), 1);
  setenv("WBSHIM_STAGING_DIR", staging.c_str(), 1);
  setenv("WBSHIM_REDIS_URL", ("unix://" + staging + "/run/redis.sock").c_str(), 1);
  setenv("WBSHIM_LOG_FILE", "/dev/stderr", 1);
  execl("/bin/sh", "sh", "-c", kProbe, nullptr);
  (void)!write(STDERR_FILENO, strerror(errno), strlen(strerror(errno)));
}

Said ask_a_shell(const Config& config, const std::string& library) {
  const char* where = getenv("TMPDIR");
  std::string staging =
      std::string(where != nullptr && where[0] == '/' ? where : "/tmp") + "/wbshim-doctor-XXXXXX";
  if (mkdtemp(staging.data()) == nullptr)
    return {"no temporary directory " + staging + ": " + strerror(errno), false};
  Said said = listen_to([&] { become_probe(config, library, staging); });
  std::error_code ignored;
  std::filesystem::remove_all(staging, ignored);
  return said;
}

std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return printable(text);
}

Finding probe(const Config& config, const std::string& library) {
  Said said = ask_a_shell(config, library);
  const bool loaded = take_line(said.text, "loaded"), mapped = take_line(said.text, "mapped");
  if (loaded && mapped) return {Level::Ok, "library", printable(library) + " works in /bin/sh", ""};
  if (!said.asked)
    return {Level::Warning, "library", "could not be tried: " + one_line(said.text),
            "set TMPDIR to a directory that can be written"};
  std::string why;
  if (said.late)
    why = ": /bin/sh did not answer within 10 s";
  else if (!said.text.empty())
    why = ": " + one_line(said.text);
  else if (said.signal != 0)
    why = std::string(": /bin/sh was ended by ") + strsignal(said.signal);
  if (!loaded)
    return {
        Level::Error, "library", printable(library) + " is not loaded by ld.so" + why,
        "build or install it again, for this system, on a file system that is not mounted noexec"};
  return {Level::Error, "library", "it is loaded, but does not map the prefix" + why,
          "see the message; WBSHIM_LOG_FILE tells more"};
}

// The library and the tools speak to Redis by the same script, or are not of one version. Its
// digest stands in the library's text.
Finding same_version(const std::string& library) {
  std::ifstream file(library, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (text.find(scripts::publish.sha) != std::string::npos)
    return {Level::Ok, "library version", std::string("that of the tools, ") + WBSHIM_VERSION, ""};
  return {Level::Error, "library version",
          "another one than the tools' (" + std::string(WBSHIM_VERSION) +
              "): it does not know their script",
          "build or install library and tools together"};
}

}  // namespace

void check_library(const Config& config, Findings& findings) {
  const Result<std::string> library = find_library();
  if (!library) {
    findings.push_back({Level::Error, "library", library.message(), ""});
    return;
  }
  if (config.prefix().empty() || config.disabled()) {
    const Option option = config.disabled() ? Option::DISABLE : Option::PREFIX;
    findings.push_back({Level::Error, "library",
                        config.complaint(option, "the library does nothing"),
                        "take the setting away"});
  } else {
    findings.push_back(probe(config, library.value()));
  }
  findings.push_back(same_version(library.value()));
}

void check_mount(const Config& config, Findings& findings) {
  if (config.prefix().empty()) return;
  Said said = listen_to([&] {
    if (const Outcome outcome = try_mount_namespace(config); !outcome.ok())
      (void)report(outcome);
    else
      (void)put_out("possible\n");
  });
  if (take_line(said.text, "possible"))
    findings.push_back({Level::Ok, "run --mount", "can be used here", ""});
  else
    findings.push_back({Level::Warning, "run --mount", one_line(said.text),
                        "programs without the library do not see the prefix"});
}

}  // namespace wbshim::ctl
