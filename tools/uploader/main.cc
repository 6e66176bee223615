// wbshim-uploader: ships what is staged. It runs in the foreground; shim-ctl start makes a daemon
// of it.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

#include "core/base/fault.h"
#include "core/base/layout.h"
#include "core/util/config.h"
#include "core/util/display.h"
#include "core/util/log.h"
#include "core/util/secrecy.h"
#include "core/util/staging_dir.h"
#include "core/volume/identity.h"
#include "core/volume/resolver.h"
#include "tools/uploader/daemon.h"
#include "tools/uploader/startup.h"

namespace wbshim {
namespace {

constexpr int kRedisTimeoutMs = 800;

constexpr char kHelp[] =
    "usage: wbshim-uploader [--ready-fd N] [--foreground] [--OPTION VALUE]...\n"
    "\n"
    "Uploads what libwbshim.so has staged. It stays in the foreground; `shim-ctl start` starts it "
    "in the background.\n"
    "  --ready-fd N   write one line to descriptor N: \"ready\", or \"error: \" and why not\n"
    "  --foreground   log to standard error unless a log file is set\n"
    "  --version, --help\n"
    "Options are those of `shim-ctl config`: from flags, WBSHIM_... variables and the "
    "configuration file.\n";

struct Arguments {
  int ready_fd = -1;
  bool foreground = false;
  std::vector<const char*> rest;
};

// False: said what there was to say; *status is the exit status.
bool parse(int argc, char** argv, Arguments& arguments, int* status) {
  arguments.rest.push_back(argv[0]);
  for (int i = 1; i < argc; i++) {
    std::string word = argv[i];
    *status = 0;
    if (word == "--help") {
      (void)fputs(kHelp, stdout);
      return false;
    }
    if (word == "--version") {
      printf("wbshim-uploader %s\n", WBSHIM_VERSION);
      return false;
    }
    if (word == "--foreground") {
      arguments.foreground = true;
    } else if (word == "--ready-fd" || word.rfind("--ready-fd=", 0) == 0) {
      const char* number = word.size() > 10 ? argv[i] + 11 : i + 1 < argc ? argv[++i] : "";
      char* end = nullptr;
      long fd = strtol(number, &end, 10);
      if (*number == '\0' || *end != '\0' || fd < 0 || fcntl(static_cast<int>(fd), F_GETFD) < 0) {
        (void)fprintf(
            stderr,
            "wbshim-uploader: --ready-fd takes the number of an open descriptor, not '%s'\n",
            number);
        *status = 2;
        return false;
      }
      arguments.ready_fd = static_cast<int>(fd);
    } else {
      arguments.rest.push_back(argv[i]);
    }
  }
  return true;
}

// Says on the readiness descriptor how it went, once.
class Readiness {
 public:
  explicit Readiness(int fd) : fd_(fd) {
    if (fd >= 0) fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  void say(const std::string& line) {
    if (!fd_) return;
    std::string text = printable(line) + "\n";
    if (write(fd_.get(), text.data(), text.size()) < 0) return;  // nobody listens any more
    fd_.reset();
  }

 private:
  Fd fd_;
};

Fd block_signals() {
  (void)signal(SIGPIPE, SIG_IGN);
  (void)signal(SIGIO, SIG_IGN);  // a lease that somebody breaks; its default ends the process
  sigset_t set;
  sigemptyset(&set);
  for (int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, number);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  return Fd(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

Status open_log(const Config& config, bool foreground) {
  std::string file = config.log_file();
  if (file.empty() && !foreground) file = config.in_staging(layout::kLog);
  Status opened = set_log(parse_log_level(config.log_level()), file, config.log_file().empty());
  if (opened) return opened;
  return Error{config.complaint(
      Option::LOG_FILE,
      opened.message() + "; name a file in a directory that exists and that you may write to")};
}

Result<StagingMode> test_staging(const Config& config) {
  std::string tree = config.in_staging(layout::kTree), run = config.in_staging(layout::kRunDir);
  struct stat a = {}, b = {};
  // Programs should not see the test's files in the tree, but it must be the tree's file system.
  bool same = stat(tree.c_str(), &a) == 0 && stat(run.c_str(), &b) == 0 && a.st_dev == b.st_dev;
  Result<StagingMode> mode = judge(try_out(same ? run : tree), tree);
  if (mode && mode.value().reduced) log_warn(mode.value().reason);
  return mode;
}

// Everything, from the lock to the end. The error is the user's line.
Status serve(const Config& config, bool foreground, Fd signals, Readiness& readiness) {
  Status prepared = prepare_staging(config);
  if (!prepared) return prepared;
  Result<Fd> lock = take_lock(config);
  if (!lock) return lock.error();
  WBSHIM_FAULT(StartLocked);
  Status logging = open_log(config, foreground);
  if (!logging) return logging;
  Result<StagingMode> mode = test_staging(config);
  if (!mode) return mode.error();
  Result<Tree> tree = Tree::open(config.staging(), config.prefix());
  if (!tree) return tree.error();
  Result<Volume> volume = make_volume(config);
  if (!volume) return volume.error();
  SystemClock clock;
  Result<RedisAddress> address = redis_address(config);
  if (!address) return address.error();
  Redis redis(address.value(), kRedisTimeoutMs, clock);
  Status probed = probe_redis(redis, config);
  if (!probed) return probed;
  Result<Epoch> epoch = join_volume(redis, volume.value(), config.staging());
  if (!epoch) return epoch.error();
  WBSHIM_FAULT(StartJoined);
  // From now on a Redis that only answers is of no use.
  redis.set_probe({"HSET", volume.value().client_row(), "instance", volume.value().instance});
  Result<std::unique_ptr<Store>> store = prepare_store(config, epoch.value().value);
  if (!store) {
    // A start that fails must not leave the volume in the hands of the wrong client.
    if (epoch.value().fresh) leave_volume(redis, volume.value());
    return store.error();
  }

  WBSHIM_FAULT(StartMarked);
  SharedPage* page = map_shared_page(config.staging().c_str());
  Queue queue(redis, volume.value(), clock);
  Publisher publisher(redis, volume.value(), tree.value(), page);
  LeaseTest lease;
  ProcTest processes;
  WriterTest* writers = mode.value().reduced ? static_cast<WriterTest*>(&processes) : &lease;
  Random random = system_random();
  StoreHealth health(clock, random);
  DeadLetters dead(redis, volume.value(), clock);
  Tally tally;
  Quarantine quarantine(config.staging(), clock.wall_ms());
  Context context{config, clock, random, volume.value(), mode.value(),   tree.value(),
                  page,   redis, queue,  publisher,      *store.value(), *writers,
                  health, dead,  tally,  quarantine};
  Reply counter = redis.command({"HGET", volume.value().meta(), "gen"});
  Result<uint64_t> floor =
      tree_floor(config, tree.value(), strtoull(counter.text.c_str(), nullptr, 10));
  if (!floor) return floor.error();
  Daemon daemon(context);
  Status started = daemon.start(std::move(signals), floor.value());
  if (!started) return started;
  readiness.say("ready");
  log_info("ready");
  WBSHIM_FAULT(StartReady);
  daemon.run();
  return Ok{};
}

int run(int argc, char** argv) {
  Arguments arguments;
  int status = 0;
  if (!parse(argc, argv, arguments, &status)) return status;
  Readiness readiness(arguments.ready_fd);
  umask(077);
  Fd signals = block_signals();
  install_redis_resolver();
  auto refuse = [&](const std::string& line) {
    (void)fprintf(stderr, "wbshim-uploader: %s\n", printable(line).c_str());
    readiness.say("error: " + line);
    return 2;
  };
  Result<std::vector<Flag>> flags =
      parse_flags(static_cast<int>(arguments.rest.size()), arguments.rest.data());
  hide_arguments(argc, argv);
  if (!flags) return refuse(flags.message());
  Result<Config> config = Config::load(ConfigSources::system(flags.value()));
  if (!config) return refuse(config.message());
  Status served = serve(config.value(), arguments.foreground, std::move(signals), readiness);
  return served ? 0 : refuse(served.message());
}

}  // namespace
}  // namespace wbshim

int main(int argc, char** argv) {
  wbshim::refuse_inspection();
  wbshim::hide_environment();
  try {
    return wbshim::run(argc, argv);
  } catch (const std::exception& e) {
    // Out of memory, or a mistake of ours: what is staged stays staged, and the next start goes on.
    (void)fputs("wbshim-uploader: ", stderr);
    (void)fputs(e.what(), stderr);
    (void)fputs("\n", stderr);
    return 1;
  }
}
