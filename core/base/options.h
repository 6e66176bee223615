// The option table (options.def) and the parsers of its kinds, shared by the library and the tools.
// No allocation. The tools' view, with files, flags and origins, is core/util/config.h.
#pragma once

#include <cstdint>

#include "core/base/span.h"

namespace wbshim {

enum class Option : unsigned {
#define WBSHIM_OPTION(id, kind, def, ready, sentence) id,
#include "core/base/options.def"
#undef WBSHIM_OPTION
  kCount
};
inline constexpr unsigned kOptionCount = static_cast<unsigned>(Option::kCount);

enum class OptionKind {
  Text,
  Path,
  Name,
  Url,
  Duration,
  Size,
  Ratio,
  Count,
  Hours,
  Flag,
  Address,
  Choice_sync_batch,
  Choice_none_local_remote,
  Choice_private_shared,
  Choice_auto_none_crc32c,
  Choice_auto_path_virtual,
  Choice_none_AES256_kms,
  Choice_error_warn_info_debug,
};

enum class Readiness { Ready, Later };

// WBSHIM_DURABILITY, weakest first; the values are those of its texts' order, and of the shared page's word.
enum class Durability : uint8_t { None, Local, Remote };
Durability parse_durability(Bytes text);

struct OptionRow {
  const char* name;  // "UPLOAD_DELAY"; the environment's name is WBSHIM_ before it
  OptionKind kind;
  const char* fallback;  // as text; $STAGING, $CACHE, $CONFIG and $VOLUME are expanded by the tools
  Readiness ready;
  const char* sentence;
};

extern const OptionRow kOptions[kOptionCount];

const OptionRow& row(Option option);

// Whether `text` is a value of that kind: nullptr, or what is expected instead ("a duration such as
// 90s, 10m, 1h").
const char* check(OptionKind kind, Bytes text);

// Parsers; false when the text is not of that form. Durations: a number with ms, s, m, h or d
// ("10m", "1h30m"; bare: seconds). Sizes: bytes, with K, M, G, T = powers of 1024, an optional i
// and B ("25M", "25MiB", "26214400").
bool parse_duration_ms(Bytes text, uint64_t* ms);
bool parse_size(Bytes text, uint64_t* bytes);
bool parse_count(Bytes text, uint64_t* n);

}  // namespace wbshim
