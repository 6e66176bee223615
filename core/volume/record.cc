#include "core/volume/record.h"

#include <stdlib.h>

#include "core/base/record.h"
#include "core/util/json.h"

namespace wbshim {
namespace {

// One of the letters in `allowed`, or 0.
char letter(const std::string& text, std::string_view allowed) {
  return text.size() == 1 && allowed.find(text[0]) != std::string_view::npos ? text[0] : '\0';
}

uint32_t small(const Json& json, std::string_view name, uint32_t otherwise) {
  uint64_t n = json.number_of(name, otherwise);
  return n <= UINT32_MAX ? static_cast<uint32_t>(n) : otherwise;
}

}  // namespace

std::optional<Record> parse_record(std::string_view text) {
  std::optional<Json> json = Json::parse(text);
  if (!json || !json->is_object()) return std::nullopt;
  Record record;
  record.generation = json->number_of("gen");
  record.owner = json->text_of("owner");
  record.id = json->text_of("id");
  record.type = letter(json->text_of("t", "f"), "fdlx");
  record.was = letter(json->text_of("was", "f"), "fdl");
  if (record.generation == 0 || record.owner.empty() || record.id.empty() || !record.type ||
      !record.was) {
    return std::nullopt;
  }
  std::string state = json->text_of("state", "uploaded");
  if (state == "staged") {
    record.state = RecordState::Staged;
  } else if (state == "failed") {
    record.state = RecordState::Failed;
  } else if (state != "uploaded") {
    return std::nullopt;
  }
  record.since_ms = json->number_of("since");
  record.etag = json->text_of("etag");
  record.size = json->number_of("size");
  const Json* mtime = json->find("mtime_ns");
  record.mtime_ns = mtime ? mtime->integer() : 0;
  record.mode = small(*json, "mode", record::kDefaultMode) & 07777;
  record.uid = small(*json, "uid", 0);
  record.gid = small(*json, "gid", 0);
  record.boot = json->text_of("boot");
  record.target = json->text_of("target");
  return record;
}

std::string id_of(const struct stat& st) {
  char room[record::kMaxId];
  Text text(room);
  record::put_id(text, st);
  return std::string(text.c_str(), text.size());
}

int64_t ctime_of(const Record& record) {
  size_t dot = record.id.rfind('.');
  return dot == std::string::npos ? 0 : strtoll(record.id.c_str() + dot + 1, nullptr, 10);
}

bool matches(const Record& record, const struct stat& st) {
  return record.type == record::type_of(st.st_mode) && record.id == id_of(st);
}

}  // namespace wbshim
