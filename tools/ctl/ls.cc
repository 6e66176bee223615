#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <cstdio>

#include "core/util/display.h"
#include "core/util/json.h"
#include "core/volume/record.h"
#include "tools/ctl/commands.h"
#include "tools/ctl/local_entries.h"
#include "tools/ctl/paths.h"
#include "tools/ctl/report.h"
#include "tools/ctl/volume_view.h"

namespace wbshim::ctl {
namespace {

struct Entry {
  std::string name;
  Record record;
};

// What has no record is on this machine alone.
const char* state_name(const Record& record) {
  if (local_type_name(record.type)) return "local";
  switch (record.state) {
    case RecordState::Uploaded:
      return "uploaded";
    case RecordState::Staged:
      return "staged";
    case RecordState::Failed:
      return "failed";
  }
  return "";
}

const char* type_name(char type) {
  if (const char* local = local_type_name(type)) return local;
  return type == 'd' ? "directory" : type == 'l' ? "symlink" : "file";
}

std::string mode_text(const Record& record) {
  std::string text(1, record.type == 'f' ? '-' : record.type);
  const uint32_t mode = record.type == 'l' ? 0777 : record.mode;
  for (unsigned shift : {6u, 3u, 0u}) {
    text += (mode >> shift & 4) != 0 ? 'r' : '-';
    text += (mode >> shift & 2) != 0 ? 'w' : '-';
    text += (mode >> shift & 1) != 0 ? 'x' : '-';
  }
  const auto special = [&](uint32_t bit, size_t at, char set) {
    if ((mode & bit) != 0) text[at] = text[at] == 'x' ? set : static_cast<char>(set - 'a' + 'A');
  };
  special(S_ISUID, 3, 's');
  special(S_ISGID, 6, 's');
  special(S_ISVTX, 9, 't');
  return text;
}

std::string time_text(int64_t mtime_ns) {
  const time_t seconds =
      static_cast<time_t>(mtime_ns / 1000000000 - (mtime_ns % 1000000000 < 0 ? 1 : 0));
  struct tm local {};
  char text[32];
  const bool fits = localtime_r(&seconds, &local) != nullptr &&
                    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local) > 0;
  return fits ? text : "?";
}

std::string long_line(const Entry& entry, size_t size_width) {
  char size[24];
  (void)snprintf(size, sizeof size, "%*llu", static_cast<int>(size_width),
                 static_cast<unsigned long long>(entry.record.size));
  std::string state = state_name(entry.record);
  state.resize(9, ' ');
  std::string line = mode_text(entry.record) + " " + size + " " + time_text(entry.record.mtime_ns) +
                     " " + state + printable(entry.name);
  if (entry.record.type == 'l') line += " -> " + printable(entry.record.target);
  return line + "\n";
}

Json entry_document(const Entry& entry) {
  const Record& record = entry.record;
  char mode[8];
  (void)snprintf(mode, sizeof mode, "%04o", record.mode & 07777u);
  Json json = Json::object();
  json.set("name", entry.name)
      .set("type", type_name(record.type))
      .set("size", record.size)
      .set("mode", mode);
  json.set("uid", record.uid)
      .set("gid", record.gid)
      .set("mtime_ns", record.mtime_ns)
      .set("state", state_name(record));
  if (!record.etag.empty()) json.set("etag", record.etag);
  if (record.type == 'l') json.set("target", record.target);
  return json;
}

std::string listing(const CommandLine& line, const std::string& path,
                    const std::vector<Entry>& entries) {
  std::string text;
  if (line.json) {
    Json rows = Json::array(), json = Json::object();
    for (const Entry& entry : entries) rows.push(entry_document(entry));
    json.set("path", path).set("entries", std::move(rows));
    return json.dump() + "\n";
  }
  size_t width = 1;
  for (const Entry& entry : entries)
    width = std::max(width, std::to_string(entry.record.size).size());
  for (const Entry& entry : entries)
    text += line.long_listing ? long_line(entry, width) : printable(entry.name) + "\n";
  return text;
}

// The entries of the directory, or the file itself. Nothing there: *found is false.
std::vector<Entry> read_entries(VolumeLink& link, const std::string& path, bool* found) {
  std::vector<Entry> entries;
  *found = path.empty();
  if (!path.empty()) {
    const Reply own =
        link.redis().command({"HGET", link.volume().dir(parent_of(path)), name_of(path)});
    const auto record = parse_record(own.text);
    if (!record || record->tombstone()) return entries;
    *found = true;
    if (record->type != 'd') return {{name_of(path), *record}};
  }
  const Reply rows = link.redis().command({"HGETALL", link.volume().dir(path)});
  for (size_t i = 0; i + 1 < rows.items.size(); i += 2) {
    const auto record = parse_record(rows.items[i + 1].text);
    if (record && !record->tombstone()) entries.push_back({rows.items[i].text, *record});
  }
  return entries;
}

// A name that has changed into a FIFO since is still shown as its record says.
void add_local(const Config& config, const std::string& path, bool* found,
               std::vector<Entry>* entries) {
  for (LocalEntry& local : local_entries(config, path)) {
    const bool known = std::any_of(entries->begin(), entries->end(),
                                   [&](const Entry& one) { return one.name == local.name; });
    if (!known) entries->push_back({std::move(local.name), local.record});
    *found = true;
  }
  std::sort(entries->begin(), entries->end(),
            [](const Entry& a, const Entry& b) { return a.name < b.name; });
}

}  // namespace

int command_ls(const CommandLine& line, const Config& config) {
  if (line.words.size() > 1) return report(Outcome::wrong("ls: one PATH at a time"));
  const std::string word = line.words.empty() ? "." : line.words.front();
  const Result<std::string> path = path_in_prefix(config, word, working_directory());
  if (!path) return report(Outcome::wrong("ls: " + path.message()));
  VolumeLink link(config);
  bool found = false;
  std::vector<Entry> entries =
      link.redis().connect() ? read_entries(link, path.value(), &found) : std::vector<Entry>();
  if (!link.redis().connected()) return report(redis_away(config, link.redis()));
  add_local(config, path.value(), &found, &entries);
  if (!found)
    return report(Outcome::failed("ls: Redis knows no '" +
                                  printable(config.prefix() + "/" + path.value()) + "'"));
  return put_out(listing(line, path.value(), entries)) ? kDone : kFailed;
}

}  // namespace wbshim::ctl
