// CRC-32C (Castagnoli, RFC 3720 appendix B.4): crc32c("123456789") = 0xe3069283. By the processor's
// own instruction where it has one (several GB/s), else by a table.
#pragma once

#include <cstdint>

#include "core/base/span.h"

namespace wbshim {

// before: the result for the bytes in front of these, so that a text may come in pieces.
uint32_t crc32c(Bytes bytes, uint32_t before = 0);

// The table's way, on any processor; for tests.
uint32_t crc32c_by_table(Bytes bytes, uint32_t before = 0);

}  // namespace wbshim
