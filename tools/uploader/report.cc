#include "tools/uploader/report.h"

#include <unistd.h>

#include "core/base/layout.h"

namespace wbshim {
namespace {

constexpr size_t kMostListed = 1000;

Metric plain(const char* name, const char* help, Metric::Kind kind, double value) {
  Metric metric{name, help, kind, {}};
  metric.samples.push_back({{}, value, {}, 0});
  return metric;
}

Metric counter(const char* name, const char* help, uint64_t value) {
  return plain(name, help, Metric::Kind::Counter, static_cast<double>(value));
}

Metric gauge(const char* name, const char* help, double value) {
  return plain(name, help, Metric::Kind::Gauge, value);
}

uint64_t library(const SharedPage* page, Counter which) {
  return page ? page->counters[static_cast<unsigned>(which)].load(std::memory_order_relaxed) : 0;
}

struct Row {
  Counter id;
  const char* name;
  const char* help;
};
constexpr Row kRows[] = {
#define WBSHIM_COUNTER(id, metric, help) {Counter::id, metric, help},
#include "core/base/counters.def"
#undef WBSHIM_COUNTER
};

void add_library_rows(std::vector<Metric>& metrics, const SharedPage* page) {
  for (const Row& row : kRows) {
    // These have a label, see below.
    if (row.id == Counter::SkippedDeleted || row.id == Counter::SkippedDeletedBytes) continue;
    if (row.id == Counter::WriteThrough || row.id == Counter::WriteThroughStaged ||
        row.id == Counter::WriteThroughSpace || row.id == Counter::WriteThroughFiles)
      continue;
    metrics.push_back(counter(row.name, row.help, library(page, row.id)));
  }
}

Metric written_through(const SharedPage* page) {
  Metric metric{"wbshim_write_through_total",
                "files to be stored before close returned, by cause",
                Metric::Kind::Counter,
                {}};
  const struct {
    const char* cause;
    Counter id;
  } causes[] = {{"size", Counter::WriteThrough},
                {"staged", Counter::WriteThroughStaged},
                {"space", Counter::WriteThroughSpace},
                {"open_files", Counter::WriteThroughFiles}};
  for (const auto& each : causes)
    metric.samples.push_back(
        {{{"cause", each.cause}}, static_cast<double>(library(page, each.id)), {}, 0});
  return metric;
}

Metric lag_histogram(const Tally& tally) {
  Metric metric{"wbshim_upload_lag_seconds",
                "from the first unsaved close of a file to the store's answer",
                Metric::Kind::Histogram,
                {}};
  Metric::Sample sample;
  sample.value = tally.lag_sum;
  for (size_t i = 0; i < tally.lag_counts.size(); i++) {
    sample.count += tally.lag_counts[i];
    if (i < Tally::kLagBounds.size())
      sample.buckets.emplace_back(Tally::kLagBounds[i], sample.count);
  }
  metric.samples.push_back(std::move(sample));
  return metric;
}

Json path_list(const std::vector<std::string>& paths) {
  Json list = Json::array();
  for (const std::string& path : paths) list.push(Json(path));
  return list;
}

Json dead_list(Context& context) {
  Json list = Json::array();
  for (const DeadLetter& letter : context.dead.list(kMostListed)) {
    Json json = Json::object();
    json.set("path", letter.path).set("class", letter.error_class).set("message", letter.message);
    json.set("attempts", letter.attempts).set("time", letter.time_ms);
    list.push(std::move(json));
  }
  return list;
}

Json flight_list(const Context& context, const Uploads& uploads) {
  Json list = Json::array();
  for (const auto& [path, flight] : uploads.flights()) {
    Json json = Json::object();
    json.set("path", path).set("size", flight.size);
    json.set("age_ms", context.clock.now_ms() - flight.started_ms);
    list.push(std::move(json));
  }
  return list;
}

Json counters_json(const Context& context) {
  const Tally& tally = context.tally;
  Json json = Json::object();
  json.set("uploads", tally.uploads).set("upload_bytes", tally.upload_bytes);
  json.set("superseded", tally.superseded).set("deletes", tally.deletes);
  json.set("skipped_deleted", library(context.page, Counter::SkippedDeleted));
  json.set("skipped_deleted_bytes", library(context.page, Counter::SkippedDeletedBytes));
  json.set("journal_lines_replayed", tally.lines_replayed).set("scans", tally.scans);
  Json errors = Json::object();
  for (const auto& [name, count] : tally.errors) errors.set(name, count);
  json.set("errors", std::move(errors));
  return json;
}

}  // namespace

std::vector<Metric> collect_metrics(const Context& context, const Gauges& gauges) {
  const Tally& tally = context.tally;
  const Waiting& waiting = gauges.last();
  std::vector<Metric> metrics;
  metrics.push_back(gauge("wbshim_staging_files", "entries that wait for their upload",
                          static_cast<double>(waiting.files)));
  metrics.push_back(
      gauge("wbshim_staging_bytes", "their bytes", static_cast<double>(waiting.bytes)));
  metrics.push_back(gauge("wbshim_staging_oldest_age_seconds",
                          "time since the first unsaved close of the oldest of them",
                          gauges.oldest_age_seconds()));
  metrics.push_back(gauge("wbshim_pending_deletes", "objects that wait for their deletion",
                          static_cast<double>(waiting.deletes)));
  metrics.push_back(gauge("wbshim_dead_letters",
                          "entries that cannot be stored before somebody mends something",
                          static_cast<double>(context.dead.count())));
  metrics.push_back(counter("wbshim_uploads_total", "objects stored", tally.uploads));
  metrics.push_back(counter("wbshim_upload_bytes_total", "their bytes", tally.upload_bytes));
  metrics.push_back(counter("wbshim_parts_ahead_bytes_total",
                            "bytes of large files sent while they were still written",
                            tally.ahead_bytes));
  metrics.push_back(counter("wbshim_early_uploads_total",
                            "of these, before they were due, for the sake of room",
                            tally.early_uploads));
  metrics.push_back(written_through(context.page));
  metrics.push_back(counter("wbshim_deletes_total", "objects deleted", tally.deletes));
  uint64_t skipped = library(context.page, Counter::SkippedDeleted);
  uint64_t bytes = library(context.page, Counter::SkippedDeletedBytes);
  Metric skips{"wbshim_uploads_skipped_total",
               "files that were deleted before their upload began, and uploads that came too late",
               Metric::Kind::Counter,
               {}};
  skips.samples.push_back({{{"reason", "deleted"}}, static_cast<double>(skipped), {}, 0});
  skips.samples.push_back(
      {{{"reason", "superseded"}}, static_cast<double>(tally.superseded), {}, 0});
  metrics.push_back(std::move(skips));
  Metric skipped_bytes{"wbshim_uploads_skipped_bytes_total",
                       "bytes of files that were deleted before their upload began",
                       Metric::Kind::Counter,
                       {}};
  skipped_bytes.samples.push_back({{{"reason", "deleted"}}, static_cast<double>(bytes), {}, 0});
  metrics.push_back(std::move(skipped_bytes));
  Metric errors{
      "wbshim_upload_errors_total", "requests to the store that failed", Metric::Kind::Counter, {}};
  for (const auto& [name, count] : tally.errors)
    errors.samples.push_back({{{"class", name}}, static_cast<double>(count), {}, 0});
  metrics.push_back(std::move(errors));
  metrics.push_back(lag_histogram(tally));
  metrics.push_back(counter("wbshim_journal_lines_replayed_total",
                            "journal lines that the uploader published", tally.lines_replayed));
  metrics.push_back(
      counter("wbshim_scans_total", "comparisons of the whole tree with Redis", tally.scans));
  metrics.push_back(gauge("wbshim_quarantined_files", "files in the staging directory's quarantine",
                          static_cast<double>(context.quarantine.count())));
  metrics.push_back(counter("wbshim_recovery_held_total",
                            "files that a power loss may have torn, held back", tally.held));
  metrics.push_back(counter("wbshim_recovery_lost_total",
                            "recorded files whose bytes were found missing", tally.lost));
  metrics.push_back(counter("wbshim_watch_events_total",
                            "paths of the staging tree that the kernel named", tally.watch_events));
  metrics.push_back(counter("wbshim_watch_found_total",
                            "changes found by these that nobody had published", tally.watch_found));
  metrics.push_back(counter("wbshim_watch_losses_total",
                            "times when the kernel could not tell, and the tree was scanned",
                            tally.watch_losses));
  add_library_rows(metrics, context.page);
  return metrics;
}

Json status_json(Context& context, const Gauges& gauges, const Parts& parts) {
  const Waiting& waiting = gauges.last();
  Json json = Json::object();
  json.set("version", WBSHIM_VERSION).set("pid", static_cast<uint64_t>(getpid()));
  json.set("client", context.volume.client).set("volume", context.volume.name);
  json.set("prefix", context.config.prefix()).set("staging", context.config.staging());
  json.set("store_url", context.config.shown(Option::STORE_URL))
      .set("redis_url", context.config.shown(Option::REDIS_URL));
  json.set("mode", context.mode.reduced ? "reduced" : "normal");
  if (context.mode.reduced) json.set("mode_reason", context.mode.reason);
  if (!context.metrics_off.empty()) json.set("metrics_off", context.metrics_off);
  json.set("pending_files", waiting.files).set("pending_bytes", waiting.bytes);
  json.set("oldest_age_seconds", gauges.oldest_age_seconds());
  json.set("pending_deletes", waiting.deletes).set("settling", waiting.settling);
  json.set("in_flight", static_cast<uint64_t>(parts.uploads.in_flight()));
  json.set("uploads", flight_list(context, parts.uploads));
  std::vector<std::string> open;
  for (const auto& [path, since] : parts.uploads.writing()) {
    if (open.size() < kMostListed) open.push_back(path);
  }
  json.set("open_for_writing", static_cast<uint64_t>(parts.uploads.writing().size()))
      .set("open_paths", path_list(open));
  json.set("dead_letters", static_cast<uint64_t>(context.dead.count()))
      .set("dead", dead_list(context));
  Json quarantine = Json::object();
  quarantine.set("files", context.quarantine.count())
      .set("paths", path_list(context.quarantine.names()));
  json.set("quarantine", std::move(quarantine));
  Json watch = Json::object();
  watch.set("by", parts.tree_source.name());
  if (!parts.tree_source.reason().empty()) watch.set("reason", parts.tree_source.reason());
  json.set("watch", std::move(watch));
  Json hours = Json::object();
  hours.set("hours", context.config.upload_hours()).set("open", parts.uploads.open());
  json.set("upload_hours", std::move(hours));
  json.set("recovering", parts.recovery.pending());
  json.set("held", static_cast<uint64_t>(parts.replay.held()));
  json.set("journal_bytes", parts.replay.reader().bytes_waiting())
      .set("scanning", parts.scan.running());
  Json redis = Json::object();
  redis.set("connected", context.redis.connected()).set("trouble", context.redis.trouble());
  json.set("redis", std::move(redis));
  Json store = Json::object();
  store.set("away", context.health.away()).set("trouble", context.health.trouble());
  if (context.tally.store_away_since_ms != 0) store.set("since", context.tally.store_away_since_ms);
  json.set("store", std::move(store));
  json.set("counters", counters_json(context));
  return json;
}

}  // namespace wbshim
