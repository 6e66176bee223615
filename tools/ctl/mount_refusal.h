// Why a mount namespace cannot be had.
#pragma once

#include <string>

namespace wbshim::ctl {

// Who forbids it, as far as that can be told, and what helps: for people, part of a line. made: the
// namespaces exist, but nothing may be done in them.
std::string mend_of_refusal(bool made);

}  // namespace wbshim::ctl
