// What status and metrics tell of room. The other half of back_pressure.h.
#include "core/util/display.h"
#include "tools/uploader/back_pressure.h"

namespace wbshim {
namespace {

const char* name_of(pressure::Level level) {
  switch (level) {
    case pressure::Level::None:
      return "none";
    case pressure::Level::Soft:
      return "soft";
    case pressure::Level::Hard:
      return "hard";
  }
  return "none";
}

void add_gauge(std::vector<Metric>& metrics, const char* name, const char* help, uint64_t value) {
  Metric metric{name, help, Metric::Kind::Gauge, {}};
  metric.samples.push_back({{}, static_cast<double>(value), {}, 0});
  metrics.push_back(std::move(metric));
}

}  // namespace

std::string BackPressure::causes() const {
  std::string text;
  auto add = [&](uint64_t cause, const std::string& words) {
    if (judged_.causes & cause) text += (text.empty() ? "" : ", ") + words;
  };
  add(pressure::kStaged,
      human_bytes(view_.staged_bytes) + " of " + human_bytes(limits_.max_staged) + " staged");
  add(pressure::kSpace,
      human_bytes(view_.free_bytes) + " of " + human_bytes(view_.total_bytes) + " free");
  add(pressure::kInodes, std::to_string(view_.free_inodes) + " of " +
                             std::to_string(view_.total_inodes) + " inodes free");
  add(pressure::kFiles, std::to_string(view_.files_writing) + " files open for writing, of " +
                            std::to_string(limits_.max_stage_write));
  return text;
}

Json BackPressure::report() const {
  Json json = Json::object();
  json.set("level", name_of(judged_.level)).set("cause", causes());
  json.set("write_through", judged_.through).set("waits", room_is_coming());
  json.set("staged_bytes", view_.staged_bytes).set("max_staged", limits_.max_staged);
  json.set("files_writing", view_.files_writing).set("max_stage_write", limits_.max_stage_write);
  json.set("free_bytes", view_.free_bytes).set("total_bytes", view_.total_bytes);
  json.set("free_inodes", view_.free_inodes).set("total_inodes", view_.total_inodes);
  json.set("free_space_ratio", limits_.free_ratio);
  json.set("reserve_bytes", reserve_.bytes()).set("reserve_inodes", reserve_.inodes());
  json.set("reserve_given_up", reserve_given_);
  json.set("store_shares_disk", view_.store_shares_disk);
  return json;
}

void BackPressure::add_metrics(std::vector<Metric>& metrics) const {
  add_gauge(metrics, "wbshim_pressure_level", "whether room runs out: 0 no, 1 soft, 2 hard",
            static_cast<uint64_t>(judged_.level));
  add_gauge(metrics, "wbshim_staging_free_bytes", "free on the staging disk, the reserve included",
            view_.free_bytes);
  add_gauge(metrics, "wbshim_staging_free_inodes", "free inodes of the staging disk",
            view_.free_inodes);
  add_gauge(metrics, "wbshim_reserve_bytes", "kept back for a full disk", reserve_.bytes());
  Metric given{"wbshim_reserve_given_up_total",
               "times the reserve was given up to a full disk",
               Metric::Kind::Counter,
               {}};
  given.samples.push_back({{}, static_cast<double>(reserve_given_), {}, 0});
  metrics.push_back(std::move(given));
}

}  // namespace wbshim
