// A configuration for the targets that need one: nothing but the staging directory is told.
#pragma once

#include <string>

#include "core/util/config.h"

namespace wbshim::fuzz {

inline Config config_of(const std::string& staging) {
  ConfigSources sources;
  sources.home = "/nowhere";
  sources.environment = {"WBSHIM_STAGING_DIR=" + staging, "WBSHIM_PREFIX=/proc/wb",
                         "WBSHIM_CONFIG=", "HOME=/nowhere"};
  return Config::load(sources).value();
}

}  // namespace wbshim::fuzz
