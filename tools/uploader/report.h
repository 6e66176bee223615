// What the uploader tells about itself: the metrics, and the status for shim-ctl.
#pragma once

#include <string>
#include <vector>

#include "core/util/json.h"
#include "tools/uploader/flush.h"
#include "tools/uploader/gauges.h"
#include "tools/uploader/metrics_http.h"

namespace wbshim {

// The metrics of README's table, from counters, gauges and this run's tally.
std::vector<Metric> collect_metrics(const Context& context, const Gauges& gauges);

// STATUS. Lists are cut at 1000 entries; the counts are whole.
Json status_json(Context& context, const Gauges& gauges, const Parts& parts);

}  // namespace wbshim
