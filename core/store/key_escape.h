// File names are bytes; S3 keys are UTF-8. A name that is no UTF-8 is stored under another one,
// from which the original can always be told. Each segment between slashes is escaped for itself,
// so that a directory's key stays the beginning of its children's.
//
//   escape(name)   = every byte that is not part of a UTF-8 character as %XX (upper case) and every
//                    '%' as %25, if the name is no UTF-8 or could be taken for the escape of
//                    another name; else the name itself.
//   unescape(name) = the reverse, if the name is one that escape() makes in its first case; else
//                    the name itself.
//
// Reversible: the results of the first case are exactly the names that unescape() decodes, the
// names of the second case exactly those it leaves alone, and each case by itself loses nothing.
// Ordinary names with a '%' ("100%", "a%20b", "caf%C3%A9") stay as they are: decoding them does not
// give a name that would have been escaped. UTF-8 is the strict one of RFC 3629.
#pragma once

#include <string>
#include <string_view>

namespace wbshim {

std::string escape_key(std::string_view key);
std::string unescape_key(std::string_view key);

bool is_utf8(std::string_view bytes);

}  // namespace wbshim
