#include "tools/uploader/daemon.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>

#include "core/base/fault.h"
#include "core/base/layout.h"
#include "core/util/bytes.h"
#include "core/util/display.h"
#include "core/util/log.h"
#include "core/volume/identity.h"
#include "tools/uploader/report.h"

namespace wbshim {
namespace {

constexpr uint64_t kHousekeepingMs = 1000;
constexpr uint64_t kHeartbeatMs = 10000;
constexpr uint64_t kSweepMs = 60000;  // of parts that nobody will finish
constexpr uint64_t kScanEveryMs = 600000;
constexpr uint64_t kScanSliceMs = 20;
// Between two looks at the journal: so many programs' lines become one batch.
constexpr uint64_t kReplayPauseMs = 50;
constexpr uint64_t kGraceMs = 10000;
constexpr char kHostFile[] = "/proc/sys/kernel/hostname";

// As many as the system lets us have: connections, and files that are read for them.
void allow_descriptors() {
  struct rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

// For tests, both of the kernel's ways on one machine.
std::string chosen_source() {
  const char* forced = getenv(kWatchVariable);
  return forced ? forced : "";
}

}  // namespace

Daemon::Daemon(Context& context)
    : context_(context),
      scan_(context),
      recovery_(context.page, boot_number(bytes(context.volume.boot)), context.clock.wall_ms()),
      replay_(context, scan_),
      tree_events_(context.tree, context.clock, chosen_source()),
      looker_(context, scan_),
      watch_(context.clock, tree_events_, looker_, context.tally),
      uploads_(context),
      deletes_(context, uploads_),
      settling_(context),
      store_probe_(context),
      gauges_(context),
      breaker_(context),
      pressure_(context, gauges_, uploads_),
      parts_{uploads_, deletes_, replay_, scan_, recovery_, tree_events_},
      requests_(context, parts_, server_),
      room_(context, pressure_, server_),
      hours_(parse_upload_hours(context.config.upload_hours())) {
  looker_.on_written = [this](const std::string& path) { uploads_.large().written(path); };
  uploads_.on_event = [this](const UploadEvent& event) { requests_.saw(event); };
  deletes_.on_event = [this](const DeleteEvent& event) { requests_.saw(event); };
  uploads_.deleting = [this](const std::string& key) { return deletes_.sending(key); };
  context_.health.on_back = [this](bool blocked) { uploads_.store_is_back(blocked); };
  server_.on_request = [this](ConnectionId id, const std::string& request) {
    requests_.handle(id, request);
  };
  server_.on_closed = [this](ConnectionId id) {
    requests_.closed(id);
    room_.closed(id);
  };
  requests_.ask_room = [this](ConnectionId id, const std::string& a) { return room_.room(id, a); };
  requests_.ask_space = [this](ConnectionId id, const std::string& a) {
    return room_.space(id, a);
  };
  requests_.wake = [this] {
    journal_news_ = true;
    replay_at_ms_ = 0;
    uploads_.kick();
    deletes_.kick();
  };
  requests_.retry = [this] {
    uploads_.forget_attempts();
    context_.dead.load();
  };
  requests_.write_stats = [this] { write_stats(0); };
  requests_.status = [this] {
    gauges_.refresh(0);
    pressure_.refresh();
    return status_json(context_, gauges_, parts_).set("pressure", pressure_.report()).dump();
  };
  requests_.stop = [this] { stopping_ = true; };
  requests_.stalled = [this] {
    pressure_.waited_in_vain();
    pressure_.refresh();
  };
}

Status Daemon::start(Fd signals, uint64_t tree_floor) {
  signals_ = std::move(signals);
  allow_descriptors();
  Status listening = server_.listen(context_.config.in_staging(layout::kRunDir), "uploader.sock");
  if (!listening) return listening;
  Status pid = write_small_file(context_.config.in_staging(layout::kPid), std::to_string(getpid()));
  if (!pid) return pid;
  WBSHIM_FAULT(StartListening);
  Status metrics = start_metrics();
  if (!metrics) return metrics;
  run_id_ = redis_run_id(context_.redis);
  connections_seen_ = context_.redis.connections();
  epoch_ = read_small_file(context_.config.in_staging(layout::kEpoch));
  context_.dead.load();
  scan_.set_floor(tree_floor);
  looker_.set_floor(tree_floor);
  set_durability();
  scan_.set_suspicion(recovery_.suspicion(durability_, writeback_ms()));
  watch_journal();
  tree_events_.rebuild();
  scan_.request();
  doubt_deletions();
  scan_if_needed();
  scan_at_ms_ = context_.clock.now_ms() + kScanEveryMs;
  heartbeat();
  return Ok{};
}

Status Daemon::start_metrics() {
  const std::string& address = context_.config.metrics_address();
  if (address.empty()) return Ok{};
  Status started = metrics_.start(address);
  if (started) return started;
  if (context_.config.metrics_is_default()) {
    context_.metrics_off = started.message() + "; WBSHIM_METRICS chooses another address";
    log_warn("no metrics over HTTP: " + context_.metrics_off);
    return Ok{};
  }
  return Error{
      context_.config.complaint(Option::METRICS, started.message() + "; choose another, or none")};
}

void Daemon::watch_journal() {
  journal_watch_.reset(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  // Each batch begins with a new file: its creation is news enough, and appending costs nothing
  // more.
  std::string directory = context_.config.in_staging(layout::kJournalDir);
  if (journal_watch_)
    inotify_add_watch(journal_watch_.get(), directory.c_str(),
                      IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
}

void Daemon::scan_if_needed() {
  if (!context_.page) return;
  if (context_.page->scan_needed.exchange(0) != 0) scan_.request();
}

// After a new connection Redis may be another server, or the same without its memory.
void Daemon::check_connection() {
  if (!context_.redis.connected()) return;
  bool fresh = context_.redis.connections() != connections_seen_;
  // Not joined: Redis may have been loading its data, or the volume been given to another.
  if (fresh || (!joined_ && context_.clock.now_ms() >= join_again_ms_)) join();
}

// The same server may have been emptied under a connection that lasts.
void Daemon::check_epoch() {
  if (!context_.redis.connected() || !joined_) return;
  Reply epoch = context_.redis.command({"HGET", context_.volume.meta(), "epoch"});
  if (epoch.nil() || (epoch.kind == Reply::Kind::Text && epoch.text != epoch_)) join();
}

void Daemon::join() {
  join_again_ms_ = context_.clock.now_ms() + kHousekeepingMs;
  Result<Epoch> joined = join_volume(context_.redis, context_.volume, context_.config.staging());
  std::string run_id = redis_run_id(context_.redis);
  if (!context_.redis.connected()) return;
  connections_seen_ = context_.redis.connections();
  if (!joined) {
    if (joined_ || joined.message() != join_trouble_)
      log_error(joined.message() + "; nothing is uploaded");
    join_trouble_ = joined.message();
    joined_ = false;
    return;
  }
  if (!context_.redis.load_scripts()) return;
  joined_ = true;
  WBSHIM_FAULT(Rejoined);
  if (run_id != run_id_ || joined.value().fresh || joined.value().changed ||
      joined.value().value != epoch_) {
    log_warn("Redis was started anew: the whole tree is compared with it");
    scan_.request_anew();
    doubt_deletions();
  }
  run_id_ = run_id;
  epoch_ = joined.value().value;
  context_.dead.load();
  journal_news_ = true;
  uploads_.kick();
  deletes_.kick();
}

// What waits for its deletion may be there again, if Redis has lost what came after: first everything
// that is in the tree is published, which takes it out of that queue.
void Daemon::doubt_deletions() {
  scan_before_deletes_ = scan_.begun() + 1;
  Reply counter = context_.redis.command({"HGET", context_.volume.meta(), "gen"});
  deletes_.doubt(strtoull(counter.text.c_str(), nullptr, 10));
}

void Daemon::step_journal() {
  uint64_t now = context_.clock.now_ms();
  if (!journal_news_ || now < replay_at_ms_) return;
  if (replay_.step()) {
    uploads_.kick();
    return;  // at once again
  }
  journal_news_ = false;
  replay_at_ms_ = now + kReplayPauseMs;
}

// One round. True: there is more to do without waiting for anything.
bool Daemon::step() {
  context_.redis.ready();
  check_connection();
  breaker_.step();
  uint64_t now = context_.clock.now_ms();
  if (now >= housekeeping_at_ms_) housekeeping();
  pressure_.step();
  bool lines_wait = watch_.next_ms(works()) <= now && !replay_.idle();
  bool more = watch_.step(kScanSliceMs, works(), lines_wait);
  // What changes behind a scan's back must be seen by the watch.
  if (sound() && !watch_.building()) more = scan_.step(kScanSliceMs) || more;
  if (sound() && recovery_.pending()) recover();
  keep_hours();
  if (works()) {
    step_journal();
    replay_.step_held();
    more = more || (journal_news_ && context_.clock.now_ms() >= replay_at_ms_);
    size_t most = context_.config.max_uploads();
    uploads_.step(most - std::min(most, deletes_.in_flight()));
    if (deletions_allowed()) deletes_.step(most - std::min(most, uploads_.in_flight()));
    settling_.step();
    store_probe_.step();
  }
  requests_.step();
  room_.step();
  return more;
}

// A flush is somebody who waits: it does not ask what time it is.
void Daemon::keep_hours() {
  const bool open = hours_.open_at(local_hour(context_.clock.wall_ms()));
  if (open != hours_open_) {
    log_info(open ? "the hours of uploads have begun"
                  : "uploads wait for their hours (WBSHIM_UPLOAD_HOURS is " +
                        context_.config.upload_hours() + ")");
  }
  hours_open_ = open;
  uploads_.set_open(open || requests_.flushing());
}

// Ends with the first whole scan: what a power loss left behind has been judged.
void Daemon::recover() {
  if (scan_.finished() == 0) return;
  recovery_.done();
  scan_.set_suspicion({});
  const Tally& tally = context_.tally;
  log_info("recovered: " + std::to_string(context_.publisher.totals().published) +
           " paths published, " + std::to_string(tally.quarantined) + " in quarantine, " +
           std::to_string(tally.held) + " held back, " + std::to_string(tally.lost) + " lost");
  journal_news_ = true;
  uploads_.kick();
  deletes_.kick();
}

// The volume's tier: what this start says, else what an earlier one said.
void Daemon::set_durability() {
  durability_ = context_.config.durability();
  const std::string meta = context_.volume.meta();
  if (context_.config.durability_is_default()) {
    Reply kept = context_.redis.command({"HGET", meta, "durability"});
    if (kept.kind == Reply::Kind::Text) durability_ = parse_durability(bytes(kept.text));
  } else {
    context_.redis.command({"HSET", meta, "durability", context_.config.shown(Option::DURABILITY)});
  }
  scan_.set_durable(durability_ != Durability::None);
  if (context_.page) context_.page->durability.store(static_cast<uint64_t>(durability_));
}

void Daemon::housekeeping() {
  uint64_t now = context_.clock.now_ms();
  housekeeping_at_ms_ = now + kHousekeepingMs;
  journal_news_ = true;
  if (context_.page) context_.page->alive_ms.store(context_.clock.wall_ms());
  scan_if_needed();
  if (now >= scan_at_ms_) {
    scan_at_ms_ = now + kScanEveryMs;
    scan_.request();
  }
  bool intact = context_.tree.intact();
  if (intact_ && !intact) {
    log_error("the staging tree '" + context_.tree.path() +
              "' is gone; nothing is uploaded or deleted");
  }
  intact_ = intact;
  uint64_t& away_since = context_.tally.store_away_since_ms;
  away_since = !context_.health.away() ? 0
               : away_since != 0       ? away_since
                                       : context_.clock.wall_ms();
  uploads_.forget_closed();
  if (works() && now >= sweep_at_ms_) {
    sweep_at_ms_ = now + kSweepMs;
    uploads_.large().sweep();
  }
  check_epoch();
  if (context_.redis.connected()) context_.dead.drop_gone();
  heartbeat();
  write_stats(kHousekeepingMs);
}

void Daemon::heartbeat() {
  uint64_t now = context_.clock.now_ms();
  if (now < heartbeat_at_ms_ || !context_.redis.connected()) return;
  heartbeat_at_ms_ = now + kHeartbeatMs;
  if (context_.quarantine.count() > 0) context_.quarantine.recount();
  const Waiting& waiting = gauges_.refresh(kHousekeepingMs);
  context_.redis.command({"HSET", context_.volume.client_row(), "host", read_small_file(kHostFile),
                          "pid", std::to_string(getpid()), "instance", context_.volume.instance,
                          "heartbeat", std::to_string(context_.queue.now_ms()), "pending_files",
                          std::to_string(waiting.files), "pending_bytes",
                          std::to_string(waiting.bytes), "oldest_ms",
                          std::to_string(waiting.oldest_ms)});
}

std::string Daemon::metrics_text(uint64_t patience_ms) {
  if (context_.redis.connected()) gauges_.refresh(patience_ms);
  std::vector<Metric> metrics = collect_metrics(context_, gauges_);
  pressure_.add_metrics(metrics);
  return render_metrics(metrics);
}

// The file that <prefix>/.stats shows; written when it says something new.
void Daemon::write_stats(uint64_t patience_ms) {
  std::string text = metrics_text(patience_ms);
  if (text == stats_written_) return;
  std::string path = context_.config.in_staging(layout::kStats);
  // The last line's end is put there by the writer.
  if (write_small_file(path, text.substr(0, text.find_last_not_of('\n') + 1)))
    stats_written_ = std::move(text);
}

int Daemon::timeout(bool busy) const {
  if (busy || server_.has_next()) return 0;
  uint64_t next = std::min({housekeeping_at_ms_, requests_.next_ms(), room_.next_ms(),
                            pressure_.next_ms(), watch_.next_ms(works()), breaker_.next_ms()});
  if (works()) {
    next = std::min({next, uploads_.next_ms(), store_probe_.next_ms()});
    if (deletions_allowed()) next = std::min(next, deletes_.next_ms());
    if (journal_news_) next = std::min(next, replay_at_ms_);
  }
  uint64_t now = context_.clock.now_ms();
  return next <= now ? 0 : static_cast<int>(std::min<uint64_t>(next - now, kHousekeepingMs));
}

void Daemon::wait(bool busy) {
  std::vector<Store::Extra> extras;
  extras.push_back({signals_.get(), POLLIN, 0});
  extras.push_back({journal_watch_.get(), POLLIN, 0});
  extras.push_back({metrics_.wanted_fd(), POLLIN, 0});
  extras.push_back({watch_.wanted_fd(), POLLIN, 0});
  extras.push_back({context_.redis.wanted_fd(), context_.redis.wanted_events(), 0});
  server_.add_extras(extras);
  context_.store.poll(extras, timeout(busy));
  if (extras[0].revents != 0) {
    struct signalfd_siginfo info = {};
    if (read(signals_.get(), &info, sizeof info) > 0) stopping_ = true;
  }
  if (extras[1].revents != 0) {
    char room[4096];
    while (read(journal_watch_.get(), room, sizeof room) > 0) {
    }
    journal_news_ = true;
  }
  if (extras[2].revents != 0) metrics_.provide(metrics_text(0));
  server_.handle(extras);
}

void Daemon::run() {
  while (!stopping_) wait(step());
  end();
}

void Daemon::end() {
  log_info("stopping");
  WBSHIM_FAULT(StopBegun);
  requests_.shut_down();
  room_.shut_down();
  uploads_.put_off_large();
  uint64_t until = context_.clock.now_ms() + kGraceMs;
  std::vector<Store::Extra> none;
  for (;;) {
    context_.redis.ready();
    uploads_.step(0);
    deletes_.step(0);
    bool idle = uploads_.in_flight() + deletes_.in_flight() + settling_.in_flight() +
                    store_probe_.in_flight() ==
                0;
    if (idle || context_.clock.now_ms() >= until) break;
    context_.store.poll(none, 100);
  }
  WBSHIM_FAULT(StopDrained);
  uploads_.give_up();
  deletes_.give_up();
  WBSHIM_FAULT(StopGivenUp);
  if (!replay_.put_back())
    log_warn("the journal could not be written; the next start looks at the whole tree");
  WBSHIM_FAULT(StopPutBack);
  heartbeat_at_ms_ = 0;
  heartbeat();
  write_stats(0);
  pressure_.end();
  uint64_t before = context_.clock.wall_ms();
  Fd tree = context_.tree.open_beneath("", O_RDONLY | O_DIRECTORY);
  if (tree && syncfs(tree.get()) == 0) recovery_.settled(before);
  unlink(context_.config.in_staging(layout::kPid).c_str());
}

}  // namespace wbshim
