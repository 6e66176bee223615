// An object's attributes as HTTP headers, so that an s3fs mount of the bucket shows the same tree:
//   x-amz-meta-mode    st_mode with its type bits, decimal (33188: a plain file, 0644)
//   x-amz-meta-uid, -gid
//   x-amz-meta-mtime   <seconds>.<nanoseconds, always nine digits>
//   x-amz-meta-wbshim-gen   the generation; left out when it is 0
//   content-type       application/x-directory for a directory, application/octet-stream for a
//                      link, else by the name (content_type.h)
// and what WBSHIM_S3_… asks for (object_options.h).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/store/store.h"

namespace wbshim {

inline constexpr char kGenerationHeader[] = "x-amz-meta-wbshim-gen";

// Of a new object, however it is uploaded. key: as Store has it.
std::vector<std::pair<std::string, std::string>> object_headers(const ObjectMeta& meta,
                                                                std::string_view key,
                                                                const ObjectOptions& options);

// The other way round, from what an answer's header of that (lower-case) name says; mode 0 when there
// is none, as with other tools' objects.
ObjectMeta object_meta(const std::function<std::string_view(std::string_view)>& header);

// The reverse of mtime_text(); the time in any number of digits, as other tools write it. False: no time.
bool parse_mtime(std::string_view text, int64_t* mtime_ns);

// Negative times, too: seconds are rounded down, -1 ns is "-1.999999999".
std::string mtime_text(int64_t mtime_ns);

}  // namespace wbshim
