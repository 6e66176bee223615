#include "core/store/key_escape.h"

namespace wbshim {
namespace {

unsigned char byte_at(std::string_view text, size_t i) {
  return static_cast<unsigned char>(text[i]);
}

// The length of the UTF-8 character at i, 0 when there is none (RFC 3629, section 4).
size_t utf8_length(std::string_view text, size_t i) {
  const unsigned char first = byte_at(text, i);
  if (first < 0x80) return 1;
  size_t length = 0;
  unsigned char low = 0x80;  // bounds of the second byte
  unsigned char high = 0xBF;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
  }
  if (length == 0 || text.size() - i < length) return 0;
  for (size_t k = 1; k < length; k++) {
    const unsigned char next = byte_at(text, i + k);
    if (next < low || next > high) return 0;
    low = 0x80;
    high = 0xBF;
  }
  return length;
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string encode(std::string_view name) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(name.size() + 16);
  for (size_t i = 0; i < name.size();) {
    const size_t length = utf8_length(name, i);
    if (length == 0 || name[i] == '%') {
      const unsigned char byte = byte_at(name, i);
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
      i++;
    } else {
      out += name.substr(i, length);
      i += length;
    }
  }
  return out;
}

std::string decode(std::string_view name) {
  std::string out;
  out.reserve(name.size());
  for (size_t i = 0; i < name.size(); i++) {
    const bool escape = name[i] == '%' && i + 2 < name.size() && digit_of(name[i + 1]) >= 0 &&
                        digit_of(name[i + 2]) >= 0;
    if (escape) {
      out += static_cast<char>(digit_of(name[i + 1]) * 16 + digit_of(name[i + 2]));
      i += 2;
    } else {
      out += name[i];
    }
  }
  return out;
}

// Is name what escape() makes of some other name? It is if it decodes to one which must be escaped
// and whose encoding it is; a long chain of %25 makes this look again, each time at a shorter name.
bool is_escape(std::string_view name) {
  std::string current(name);
  for (;;) {
    if (current.find('%') == std::string::npos) return false;
    std::string original = decode(current);
    if (original == current || encode(original) != current) return false;
    if (!is_utf8(original)) return true;
    current = std::move(original);
  }
}

template <typename Convert>
std::string each_segment(std::string_view key, Convert convert) {
  std::string out;
  out.reserve(key.size());
  for (size_t start = 0;;) {
    const size_t slash = key.find('/', start);
    out += convert(key.substr(start, slash - start));
    if (slash == std::string_view::npos) return out;
    out += '/';
    start = slash + 1;
  }
}

}  // namespace

bool is_utf8(std::string_view bytes) {
  for (size_t i = 0; i < bytes.size();) {
    const size_t length = utf8_length(bytes, i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

std::string escape_key(std::string_view key) {
  return each_segment(key, [](std::string_view name) {
    return !is_utf8(name) || is_escape(name) ? encode(name) : std::string(name);
  });
}

std::string unescape_key(std::string_view key) {
  return each_segment(key, [](std::string_view name) {
    return is_utf8(name) && is_escape(name) ? decode(name) : std::string(name);
  });
}

}  // namespace wbshim
