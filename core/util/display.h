// Texts of other people's making, made fit to be shown on a terminal or in a log.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wbshim {

// Control characters as \n, \t, \r or \xHH, bytes that are no UTF-8 as \xHH, everything else as it
// is. One line, whatever was in it.
std::string printable(std::string_view text);

// A URL without what must stay secret: "redis://:secret@host:1" gives "redis://:***@host:1". Errs
// on the side of hiding.
std::string hide_secrets(std::string_view url);

// A sentence of a library or a server, in which anything up to an '@' may be a login: each word that
// holds one is shown from the '@' on ("proxy 'http://u:secret@host'" gives "proxy
// 'http://***@host'").
std::string hide_logins(std::string_view sentence);

// The candidate that `word` most likely was meant to be; empty when none is near enough to be worth
// a mention.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

// As a word of a POSIX shell: bare when harmless, else in single quotes.
std::string shell_quote(std::string_view text);

// "1.5 MiB", "512 B"; "2 h 5 min", "850 ms".
std::string human_bytes(uint64_t n);
std::string human_duration(uint64_t ms);

}  // namespace wbshim
