// Store::probe() for S3: a small object is written and deleted, the only proof that both are allowed.
#pragma once

#include <functional>

#include "core/store/s3_message.h"
#include "core/store/store.h"

namespace wbshim {

// Runs the store meanwhile, for timeout_ms at most. Ok, or the one line for the user.
Status probe_s3(Store& store, const std::function<uint64_t()>& now_ms, int timeout_ms,
                const S3Messages& messages);

}  // namespace wbshim
