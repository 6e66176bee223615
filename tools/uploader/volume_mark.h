// <store prefix>/.wbshim-volume: a JSON object {"volume","epoch","format"} that says whose the
// prefix is (PROTOCOL.md 2.9).
#pragma once

#include <string>

#include "core/store/store.h"
#include "core/util/config.h"
#include "core/util/result.h"

namespace wbshim {

// The user's complaint when the mark's text is another volume's; empty when it is ours.
std::string foreign_mark(const std::string& text, const std::string& volume,
                         const std::string& epoch);

// Reads the mark, writes it when there is none. Waits for the store.
Status claim_store_prefix(Store& store, const Config& config, const std::string& epoch,
                          int timeout_ms);

}  // namespace wbshim
