#include "core/util/display.h"

#include <algorithm>
#include <cstdio>

namespace wbshim {

namespace {

// Length of the UTF-8 character that `text` begins with; 0 when it begins with none.
size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; i++) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  const bool beyond = (first == 0xed && byte(1) > 0x9f) || (first == 0xf4 && byte(1) > 0x8f);
  return overlong || beyond ? 0 : length;
}

bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7f;
  return first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;  // C1
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    const std::string_view character = text.substr(0, length > 0 ? length : 1);
    text.remove_prefix(character.size());
    if (length > 0 && !is_control(character)) {
      out += character;
    } else if (character == "\n" || character == "\t" || character == "\r") {
      out += character == "\n" ? "\\n" : character == "\t" ? "\\t" : "\\r";
    } else {
      for (char c : character) {
        char hex[5];
        (void)snprintf(hex, sizeof hex, "\\x%02x", static_cast<unsigned char>(c));
        out += hex;
      }
    }
  }
  return out;
}

std::string hide_logins(std::string_view sentence) {
  constexpr std::string_view kEnds = " \t\r\n'\"<>()";
  std::string out;
  while (!sentence.empty()) {
    const size_t end = std::min(sentence.find_first_of(kEnds), sentence.size());
    const std::string_view word = sentence.substr(0, end);
    const size_t at = word.rfind('@'), scheme = word.find("://");
    const size_t start = scheme == std::string_view::npos ? 0 : scheme + 3;
    if (at != std::string_view::npos && at >= start) {
      out.append(word.substr(0, start)).append("***").append(word.substr(at));
    } else {
      out.append(word);
    }
    if (end < sentence.size()) out += sentence[end];
    sentence.remove_prefix(std::min(end + 1, sentence.size()));
  }
  return out;
}

namespace {

// Values of what looks like a password behind the '?' of a URL, which we know none of.
std::string hide_query(std::string url) {
  const size_t query = url.find('?');
  if (query == std::string::npos) return url;
  for (const char* name : {"pass", "secret", "token", "auth", "key"}) {
    for (size_t at = url.find(name, query); at != std::string::npos; at = url.find(name, at + 1)) {
      const size_t equals = url.find_first_of("=&", at);
      if (equals == std::string::npos || url[equals] != '=') continue;
      const size_t end = std::min(url.find('&', equals), url.size());
      url.replace(equals + 1, end - equals - 1, "***");
    }
  }
  return url;
}

}  // namespace

std::string hide_secrets(std::string_view url) {
  const std::string queryless = hide_query(std::string(url));
  url = queryless;
  const size_t scheme = url.find("://");
  const size_t start = scheme == std::string_view::npos ? 0 : scheme + 3;
  const size_t at = url.rfind('@');
  if (at == std::string_view::npos || at < start) return std::string(url);
  size_t from = url.find(':', start);
  if (from == std::string_view::npos || from > at) {
    // No password is set apart; for Redis the only word before the '@' is often meant as one.
    if (url.substr(0, 5) != "redis") return std::string(url);
    from = start;
  } else {
    from++;
  }
  return std::string(url.substr(0, from)) + "***" + std::string(url.substr(at));
}

namespace {

// Levenshtein distance.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); j++) row[j] = j;
  for (size_t i = 1; i <= a.size(); i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); j++) {
      const size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  size_t best_distance =
      std::min<size_t>(std::max<size_t>(2, word.size() / 3), word.size() / 2) + 1;
  for (const std::string& candidate : candidates) {
    const size_t d = distance(word, candidate);
    if (d < best_distance) {
      best_distance = d;
      best = candidate;
    }
  }
  return best;
}

std::string shell_quote(std::string_view text) {
  const char* harmless = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:=,+@%-";
  if (!text.empty() && text.find_first_not_of(harmless) == std::string_view::npos) {
    return std::string(text);
  }
  std::string out = "'";
  for (char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string human_bytes(uint64_t n) {
  char text[32];
  if (n < 1024) {
    (void)snprintf(text, sizeof text, "%u B", static_cast<unsigned>(n));
    return text;
  }
  const char* units[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
  double value = static_cast<double>(n) / 1024;
  size_t unit = 0;
  while (value >= 1023.95 && unit + 1 < std::size(units)) {
    value /= 1024;
    unit++;
  }
  (void)snprintf(text, sizeof text, "%.1f %s", value, units[unit]);
  return text;
}

std::string human_duration(uint64_t ms) {
  char text[48];
  const uint64_t s = ms / 1000;
  if (ms < 1000) {
    (void)snprintf(text, sizeof text, "%u ms", static_cast<unsigned>(ms));
  } else if (s < 10) {
    (void)snprintf(text, sizeof text, "%.1f s", static_cast<double>(ms - ms % 100) / 1000);
  } else if (s < 60) {
    (void)snprintf(text, sizeof text, "%u s", static_cast<unsigned>(s));
  } else if (s < 3600) {
    (void)snprintf(text, sizeof text, "%u min %u s", static_cast<unsigned>(s / 60),
                   static_cast<unsigned>(s % 60));
  } else if (s < uint64_t{2} * 86400) {
    (void)snprintf(text, sizeof text, "%u h %u min", static_cast<unsigned>(s / 3600),
                   static_cast<unsigned>(s % 3600 / 60));
  } else {
    (void)snprintf(text, sizeof text, "%llu d %u h", static_cast<unsigned long long>(s / 86400),
                   static_cast<unsigned>(s % 86400 / 3600));
  }
  return text;
}

}  // namespace wbshim
