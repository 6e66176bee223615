#include "core/volume/publish.h"

#include <stdlib.h>

#include <algorithm>

#include "core/base/fault.h"
#include "core/base/record.h"
#include "core/util/bytes.h"
#include "core/util/log.h"
#include "core/volume/record.h"
#include "core/volume/redis_refusal.h"
#include "scripts.h"

namespace wbshim {
namespace {

// RedisLink takes 48 words a command: three of EVALSHA, nine each and nine for all.
constexpr size_t kItemsPerScript = 4;
// A path that changes all the time is published again by whoever changes it.
constexpr int kMaxRounds = 20;

std::string tail_of(const struct stat& st, const Volume& volume, const std::string& target) {
  std::vector<char> room(512 + target.size() * 6);
  Text text(room.data(), room.size());
  record::put_tail(text, st, bytes(volume.boot), bytes(target));
  return std::string(text.c_str(), text.size());
}

}  // namespace

struct Publisher::Item {
  Notice notice;
  Sight sight = Sight::Unknown;
  struct stat st = {};
  std::string target;
  uint64_t counter = 0;  // the generation counter before the look
  PublishKind kind = PublishKind::Look;
  PublishCode code = PublishCode::Nothing;
  bool open = true;  // still to be sent
};

uint64_t seen_generation(const SharedPage* page) {
  return page ? page->seen_gen.load(std::memory_order_relaxed) : 0;
}

bool Publisher::read_counter(uint64_t* counter) {
  Reply reply = redis_.command({"HGET", volume_.meta(), "gen"});
  if (!reply) return false;
  *counter = strtoull(reply.text.c_str(), nullptr, 10);
  return true;
}

// Puts looks at ancestors without a record before the first item below them.
bool Publisher::add_ancestors(std::vector<Item>& items) {
  std::vector<std::string> ancestors;
  std::unordered_set<std::string> known;
  for (const Item& item : items) known.insert(item.notice.path);
  for (const Item& item : items) {
    std::vector<std::string> chain;
    for (std::string dir = parent_of(item.notice.path); !dir.empty() && known.insert(dir).second;
         dir = parent_of(dir)) {
      chain.push_back(dir);
    }
    ancestors.insert(ancestors.end(), chain.rbegin(), chain.rend());
  }
  std::vector<Command> commands;
  commands.reserve(ancestors.size());
  for (const std::string& dir : ancestors)
    commands.push_back({{"HGET", volume_.dir(parent_of(dir)), name_of(dir)}});
  std::vector<Reply> replies = redis_.pipeline(commands);
  std::vector<Item> first;
  for (size_t i = 0; i < replies.size(); i++) {
    if (!replies[i]) return false;
    std::optional<Record> record = parse_record(replies[i].text);
    struct stat st = {};
    if (record && record->type == 'd') continue;
    if (tree_.look(ancestors[i], &st) != Sight::Present) continue;
    Item item;
    item.notice.path = ancestors[i];
    first.push_back(std::move(item));
  }
  items.insert(items.begin(), std::make_move_iterator(first.begin()),
               std::make_move_iterator(first.end()));
  return true;
}

void Publisher::look(Item& item, uint64_t counter) const {
  item.counter = counter;
  item.st = {};
  item.sight = tree_.look(item.notice.path, &item.st);
  item.target.clear();
  // FIFOs, sockets and devices are never recorded: what had the name before is gone.
  if (item.sight == Sight::Present && !record::type_of(item.st.st_mode)) item.sight = Sight::Absent;
  if (item.sight == Sight::Absent) {
    item.kind = item.notice.removed ? PublishKind::Replayed : PublishKind::Vanished;
    return;
  }
  item.kind = item.notice.hold ? PublishKind::Hold : PublishKind::Look;
  if (item.sight != Sight::Present) return;
  if (S_ISLNK(item.st.st_mode)) {
    Result<std::string> target = tree_.link_target(item.notice.path);
    if (target) {
      item.target = target.value();
    } else {
      item.sight = Sight::Unknown;
    }
  }
}

void Publisher::account(const Reply& reply, size_t at, Item& item) {
  if (reply.items.size() < at + 3) return;
  item.code = static_cast<PublishCode>(reply.items[at].integer);
  int64_t size = reply.items[at + 2].integer;
  if (page_) page_->saw(static_cast<uint64_t>(reply.items[at + 1].integer));
  if (item.code == PublishCode::Published) totals_.published++;
  if (item.code == PublishCode::RemovedUnstored || item.code == PublishCode::RemovedStored) {
    totals_.removed++;
    if (size >= 0 && !item.notice.moved) count_skipped(static_cast<uint64_t>(size));
  }
  // It came and went while Redis was away: nobody knows its size.
  if (item.code == PublishCode::Nothing && item.notice.removed && item.notice.made &&
      !item.notice.moved)
    count_skipped(0);
}

// In the page, where the library counts, too: one number for all, which lasts.
void Publisher::count_skipped(uint64_t bytes) {
  if (!page_) return;
  page_->add(Counter::SkippedDeleted);
  page_->add(Counter::SkippedDeletedBytes, bytes);
}

bool Publisher::send(std::vector<Item*>& items) {
  std::vector<Command> commands;
  for (size_t i = 0; i < items.size(); i += kItemsPerScript) {
    size_t end = std::min(items.size(), i + kItemsPerScript);
    Command command{{volume_.due(), volume_.del(), volume_.object(), volume_.meta()},
                    &scripts::publish,
                    4 + end - i};
    for (size_t j = i; j < end; j++)
      command.words.push_back(volume_.dir(parent_of(items[j]->notice.path)));
    for (std::string word :
         {volume_.client, std::to_string(volume_.delay_ms), std::to_string(volume_.deadline_ms),
          std::to_string(seen_generation(page_)), volume_.boot}) {
      command.words.push_back(std::move(word));
    }
    for (size_t j = i; j < end; j++) {
      const Item& item = *items[j];
      bool there = item.sight == Sight::Present;
      uint64_t base = item.kind == PublishKind::Vanished ? item.counter : item.notice.base;
      for (std::string word : {std::string(1, static_cast<char>(item.kind)), item.notice.path,
                               name_of(item.notice.path),
                               std::string(1, there ? record::type_of(item.st.st_mode) : 'f'),
                               there ? id_of(item.st) : std::string("-"),
                               there ? tail_of(item.st, volume_, item.target) : std::string(),
                               std::to_string(base), std::string(item.notice.now ? "1" : "0")}) {
        command.words.push_back(std::move(word));
      }
    }
    commands.push_back(std::move(command));
  }
  std::vector<Reply> replies = redis_.pipeline(commands);
  for (size_t i = 0; i < items.size(); i++) {
    const Reply& reply = replies[i / kItemsPerScript];
    if (reply.error() && !redis_mend(reply.text))
      log_error("Redis refused a script: " + reply.text);
    if (!reply) return false;
    account(reply, i % kItemsPerScript * 3, *items[i]);
  }
  return true;
}

bool Publisher::publish(const std::vector<Notice>& notices) {
  std::vector<Item> items;
  for (const Notice& notice : notices) {
    if (!is_tree_path(notice.path)) continue;
    items.emplace_back().notice = notice;
  }
  if (!add_ancestors(items)) return false;
  for (int round = 0; round < kMaxRounds; round++) {
    uint64_t counter = 0;
    if (!read_counter(&counter)) return false;
    std::vector<Item*> open;
    for (Item& item : items) {
      if (!item.open) continue;
      look(item, counter);
      item.open = item.sight != Sight::Unknown;
      if (item.open) open.push_back(&item);
    }
    if (open.empty()) return true;
    WBSHIM_FAULT(LookDone);
    if (!send(open)) return false;
    WBSHIM_FAULT(LookTold);
    // Refused: what is there is ours to record when it was our act; what is not there may still be
    // plain evidence.
    std::vector<Item*> second;
    for (Item* item : open) {
      if (item->code != PublishCode::Refused) continue;
      if (item->kind == PublishKind::Look && item->notice.acted) item->kind = PublishKind::Changed;
      if (item->kind == PublishKind::Replayed) item->kind = PublishKind::Vanished;
      if (item->kind == PublishKind::Changed || item->notice.removed) second.push_back(item);
    }
    if (!second.empty() && !send(second)) return false;
    for (Item* item : open) {
      struct stat st = {};
      Sight sight = tree_.look(item->notice.path, &st);
      item->open = sight != item->sight || (sight == Sight::Present && !record::same(st, item->st));
    }
  }
  return true;
}

}  // namespace wbshim
