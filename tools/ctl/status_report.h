// What `status` found out, and how it is shown. No input or output here.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "core/util/config.h"
#include "core/util/json.h"
#include "tools/ctl/volume_view.h"

namespace wbshim::ctl {

struct UploaderReport {
  bool running = false;  // it answers
  std::string version;
  long pid = 0;
  pid_t silent_pid = 0;  // a process that holds the socket, answering or not
  Json status;           // its own document (STATUS); null without one
};

struct StatusReport {
  const Config& config;
  UploaderReport uploader;
  VolumeView volume;
  bool staging_exists = false;
};

// What a person has to mend, one sentence each, with the mend. None: exit status 0.
std::vector<std::string> problems(const StatusReport& report);

// For people: one fact a line.
std::string status_screen(const StatusReport& report);

// The same as one JSON document, with the uploader's own under "uploader"."status".
std::string status_document(const StatusReport& report);

}  // namespace wbshim::ctl
