// Requests from the library to the uploader over its Unix socket (core/base/protocol.h). One short
// connection each.
#pragma once

#include <cstdint>

#include "core/base/span.h"

namespace wbshim::uploader_call {

// Has a file stored now. 0: stored, or somebody else still writes it, or there is no uploader and
// that will do (it stays queued, due now, and the log says so). EIO: the store refused or cannot be
// reached, or, when it must be stored, there is no uploader; the staged copy stays queued, and a
// line on stderr says why.
int write_through(Bytes rel, bool must_be_stored);

// The same for the sake of room: one try, a minute at most. True: stored.
bool relieve(Bytes rel);

// Nobody: there is no uploader, or it does not answer.
enum class Answer { Yes, No, Nobody };

// Waits until files may be opened for writing, at most so long.
void wait_for_room(uint64_t ms);

// After a full disk: Yes, it is worth another try. bytes: as many are wanted; UINT64_MAX: a quota is
// used up.
Answer make_space(uint64_t bytes, uint64_t ms);

// Has <staging>/run/stats written anew. Waits at most a second; without an uploader the file is
// what it was.
void refresh_stats();

}  // namespace wbshim::uploader_call
