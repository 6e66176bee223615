#include "core/store/xml_reader.h"

#include <charconv>
#include <cstdint>
#include <utility>

namespace wbshim {
namespace {

constexpr size_t kMaxDepth = 16;

void append_utf8(std::string& out, uint32_t code) {
  const auto byte = [&out](uint32_t value) { out += static_cast<char>(value); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xC0 | code >> 6);
    byte(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    byte(0xE0 | code >> 12);
    byte(0x80 | (code >> 6 & 0x3F));
    byte(0x80 | (code & 0x3F));
  } else {
    byte(0xF0 | code >> 18);
    byte(0x80 | (code >> 12 & 0x3F));
    byte(0x80 | (code >> 6 & 0x3F));
    byte(0x80 | (code & 0x3F));
  }
}

// The character of an entity's name, the text between '&' and ';'. False: there is none.
bool append_entity(std::string_view name, std::string& out) {
  constexpr std::pair<std::string_view, char> kNamed[] = {
      {"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
  for (const auto& [known, c] : kNamed) {
    if (name != known) continue;
    out += c;
    return true;
  }
  if (name.size() < 2 || name[0] != '#') return false;
  const bool hex = name[1] == 'x' || name[1] == 'X';
  name.remove_prefix(hex ? 2 : 1);
  uint32_t code = 0;
  const auto [end, error] =
      std::from_chars(name.data(), name.data() + name.size(), code, hex ? 16 : 10);
  const bool whole = error == std::errc() && end == name.data() + name.size();
  if (!whole || code == 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
  append_utf8(out, code);
  return true;
}

std::string unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const size_t end = text[i] == '&' ? text.find(';', i) : std::string_view::npos;
    if (end != std::string_view::npos && end - i <= 10 &&
        append_entity(text.substr(i + 1, end - i - 1), out)) {
      i = end + 1;
    } else {
      out += text[i++];
    }
  }
  return out;
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

bool XmlReader::next() {
  for (;;) {
    const size_t open = left_.find('<');
    if (open == std::string_view::npos) return false;
    text_ = left_.substr(0, open);
    left_.remove_prefix(open + 1);
    if (skip_special()) continue;
    const size_t close = left_.find('>');
    if (close == std::string_view::npos) return false;
    std::string_view tag = left_.substr(0, close);
    left_.remove_prefix(close + 1);
    if (!tag.empty() && tag.front() == '/') return end_of(tag.substr(1));
    const bool empty = !tag.empty() && tag.back() == '/';
    if (empty) tag.remove_suffix(1);
    const std::string_view name = tag.substr(0, tag.find_first_of(" \t\r\n"));
    if (stack_.size() == kMaxDepth || name.empty()) return false;
    if (stack_.empty()) root_ = name;
    stack_.push_back(name);
    if (!empty) continue;
    text_ = {};
    return end_of(name);
  }
}

bool XmlReader::end_of(std::string_view name) {
  while (!name.empty() && (name.back() == ' ' || name.back() == '\n')) name.remove_suffix(1);
  if (stack_.empty() || stack_.back() != name) return false;
  stack_.pop_back();
  name_ = name;
  return true;
}

bool XmlReader::skip_special() {
  const bool comment = left_.substr(0, 3) == "!--";
  if (!comment && left_.substr(0, 1) != "?" && left_.substr(0, 1) != "!") return false;
  const size_t end = left_.find(comment ? "-->" : ">");
  left_.remove_prefix(end == std::string_view::npos ? left_.size() : end + (comment ? 3 : 1));
  return true;
}

std::string XmlReader::text() const {
  return unescape(text_);
}

std::string xml_escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&apos;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string url_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); i++) {
    if (text[i] == '%' && i + 2 < text.size() && digit_of(text[i + 1]) >= 0 &&
        digit_of(text[i + 2]) >= 0) {
      out += static_cast<char>(digit_of(text[i + 1]) * 16 + digit_of(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::string unquoted(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"')
    etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

}  // namespace wbshim
