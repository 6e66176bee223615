// The options as the store takes them.
#pragma once

#include "core/store/store.h"
#include "core/util/config.h"

namespace wbshim {

StoreOptions store_options(const Config& config, unsigned max_connections);

}  // namespace wbshim
