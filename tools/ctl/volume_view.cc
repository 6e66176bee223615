#include "tools/ctl/volume_view.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "core/base/journal.h"
#include "core/base/layout.h"
#include "core/util/bytes.h"
#include "core/util/fd.h"
#include "core/util/json.h"
#include "core/volume/identity.h"
#include "core/volume/queue.h"

namespace wbshim::ctl {
namespace {

constexpr int kRedisTimeoutMs = 3000;
constexpr size_t kPage = 1000;

RedisAddress address_of(const Config& config) {
  RedisAddress address;
  (void)address.parse(bytes(config.redis_url()));  // Config::load() has checked it
  return address;
}

std::string read_all(const std::string& path) {
  std::string text;
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  char room[65536];
  ssize_t n;
  while (fd && (n = read(fd.get(), room, sizeof room)) > 0)
    text.append(room, static_cast<size_t>(n));
  return text;
}

uint64_t count_journal_lines(const Config& config) {
  uint64_t lines = 0;
  for_each_journal_line(config, [&](const journal::Line&) { lines++; });
  return lines;
}

void read_details(VolumeLink& link, VolumeView& view) {
  Queue queue(link.redis(), link.volume(), link.clock());
  uint64_t oldest = 0;
  QueueEntry waits_longest;
  for (size_t begin = 0; begin < view.waiting; begin += kPage) {
    const auto page = queue.page(List::Due, begin, kPage);
    if (!page || page->empty()) break;
    std::vector<std::string> paths;
    for (const QueueEntry& entry : *page) paths.push_back(entry.member);
    bool away = false;
    const auto records = queue.records(paths, &away);
    for (size_t i = 0; i < records.size(); i++) {
      const auto& record = records[i];
      if (!record || !record->staged()) continue;
      if (record->type == 'f') {
        view.files++;
        view.bytes += record->size;
      }
      if (record->since_ms == 0 || (oldest != 0 && oldest <= record->since_ms)) continue;
      oldest = record->since_ms;
      waits_longest = (*page)[i];
    }
  }
  const uint64_t now = queue.now_ms();
  if (oldest == 0) return;
  if (now > oldest) view.oldest_ms = now - oldest;
  OldestEntry entry;
  entry.path = waits_longest.member;
  entry.age_ms = view.oldest_ms;
  if (waits_longest.due_ms > now) entry.due_in_ms = waits_longest.due_ms - now;
  const Volume& volume = link.volume();
  for (const std::string& key : {entry.path, entry.path + "/"}) {
    const auto replies = link.redis().pipeline(
        {{{"HGET", volume.object(), key}}, {{"ZSCORE", volume.settle(), key}}});
    entry.busy = entry.busy || replies[0].text.compare(0, 9, "{\"busy\":\"") == 0;
    entry.settling = entry.settling || replies[1].kind == Reply::Kind::Text;
  }
  for (const DeadLetter& letter : view.dead) {
    if (letter.path == entry.path) entry.dead_class = letter.error_class;
  }
  view.oldest = std::move(entry);
}

std::vector<DeadLetter> read_dead(VolumeLink& link) {
  std::vector<DeadLetter> dead;
  const Reply reply = link.redis().command({"HGETALL", link.volume().dead()});
  for (size_t i = 0; i + 1 < reply.items.size(); i += 2) {
    DeadLetter letter;
    letter.path = reply.items[i].text;
    const auto json = Json::parse(reply.items[i + 1].text);
    if (json) {
      letter.error_class = json->text_of("class");
      letter.message = json->text_of("message");
      letter.attempts = json->number_of("attempts");
      letter.time_ms = json->number_of("time");
    }
    dead.push_back(std::move(letter));
  }
  std::sort(dead.begin(), dead.end(),
            [](const DeadLetter& a, const DeadLetter& b) { return a.path < b.path; });
  return dead;
}

}  // namespace

VolumeLink::VolumeLink(const Config& config) : redis_(address_of(config), kRedisTimeoutMs, clock_) {
  volume_.name = config.volume();
  volume_.client = read_small_file(config.in_staging(layout::kClientId));
}

void for_each_journal_line(const Config& config,
                           const std::function<void(const journal::Line&)>& tell) {
  const std::string dir = config.in_staging(layout::kJournalDir);
  DIR* entries = opendir(dir.c_str());
  while (const dirent* entry = entries != nullptr ? readdir(entries) : nullptr) {
    if (entry->d_name[0] == '.') continue;
    const std::string text = read_all(dir + "/" + entry->d_name);
    Bytes rest = bytes(text);
    journal::Line line;
    for (journal::Next next; (next = journal::decode(&rest, &line)) != journal::Next::End;) {
      if (next == journal::Next::Line) tell(line);
    }
  }
  if (entries != nullptr) closedir(entries);
}

Outcome redis_away(const Config& config, const Redis& redis) {
  const std::string mend = config.redis_is_default() ? "; `shim-ctl start` starts it"
                                                     : "; is it running, and is the URL right?";
  return Outcome::failed(config.complaint(
      Option::REDIS_URL, "Redis does not answer (" + redis.trouble() + ")" + mend));
}

VolumeView look_at_volume(const Config& config, bool details) {
  VolumeLink link(config);
  VolumeView view;
  view.client = link.volume().client;
  view.journal_lines = count_journal_lines(config);
  if (details) view.local = count_local_entries(config);
  view.redis_answers = link.redis().connect();
  if (!view.redis_answers) {
    view.redis_trouble = link.redis().trouble();
    view.oldest = oldest_in_journal(config, link.clock().wall_ms());
    return view;
  }
  const auto count = [&](const std::string& key) {
    return static_cast<uint64_t>(
        std::max<int64_t>(0, link.redis().command({"ZCARD", key}).integer));
  };
  view.waiting = view.client.empty() ? 0 : count(link.volume().due());
  view.deletions = count(link.volume().del());
  view.settling = count(link.volume().settle());
  if (!view.client.empty()) view.dead = read_dead(link);
  if (details && view.waiting > 0) read_details(link, view);
  if (!link.redis().connected()) {
    view.redis_answers = false;
    view.redis_trouble = link.redis().trouble();
  }
  return view;
}

}  // namespace wbshim::ctl
