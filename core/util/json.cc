#include "core/util/json.h"

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "core/base/text.h"
#include "core/util/bytes.h"

namespace wbshim {
namespace {

constexpr size_t kMaxDepth = 64;

// The parser refuses lone surrogates, so they travel through it as this noncharacter and two hex
// digits, and the noncharacter itself as it and "--".
constexpr char kMark[] = "\xf4\x8f\xbf\xbf";
constexpr size_t kMarkSize = sizeof kMark - 1;

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

int hex_value(char c) {
  if (c <= '9') return c - '0';
  return (c | 0x20) - 'a' + 10;
}

// \udc80 .. \udcff at i; a high surrogate before it has been stepped over by the caller.
bool lone_byte(std::string_view text, size_t i) {
  return text.size() - i >= 6 && text[i + 1] == 'u' && (text[i + 2] | 0x20) == 'd' &&
         (text[i + 3] | 0x20) == 'c' && is_hex(text[i + 4]) && hex_value(text[i + 4]) >= 8 &&
         is_hex(text[i + 5]);
}

bool high_surrogate(std::string_view text, size_t i) {
  return text.size() - i >= 12 && text[i + 1] == 'u' && (text[i + 2] | 0x20) == 'd' &&
         (text[i + 3] == '8' || text[i + 3] == '9' || (text[i + 3] | 0x20) == 'a' ||
          (text[i + 3] | 0x20) == 'b') &&
         text[i + 6] == '\\' && text[i + 7] == 'u';
}

std::string mark_bytes(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    if (text.compare(i, kMarkSize, kMark) == 0) {
      out.append(kMark).append("--");
      i += kMarkSize;
    } else if (text[i] != '\\' || i + 1 >= text.size()) {
      out += text[i++];
    } else if (lone_byte(text, i)) {
      out.append(kMark).append(text.substr(i + 4, 2));
      i += 6;
    } else {
      size_t n = high_surrogate(text, i) ? 12 : 2;
      std::string_view escape = text.substr(i, n);
      // U+10FFFF spelled as an escape is that same noncharacter.
      if (n == 12 && (escape == "\\udbff\\udfff" || escape == "\\uDBFF\\uDFFF")) {
        out.append(kMark).append("--");
      } else {
        out.append(escape);
      }
      i += n;
    }
  }
  return out;
}

std::string unmark_bytes(std::string text) {
  if (text.find(kMark) == std::string::npos) return text;
  std::string out;
  for (size_t i = 0; i < text.size();) {
    if (text.compare(i, kMarkSize, kMark) != 0 || text.size() - i < kMarkSize + 2) {
      out += text[i++];
      continue;
    }
    std::string_view code = std::string_view(text).substr(i + kMarkSize, 2);
    if (is_hex(code[0]) && is_hex(code[1])) {
      out += static_cast<char>(hex_value(code[0]) * 16 + hex_value(code[1]));
    } else {
      out.append(kMark);
    }
    i += kMarkSize + 2;
  }
  return out;
}

// Takes the parser's events. Every handler answers whether to go on.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return add(Json()); }
  bool boolean(bool value) override { return add(Json(value)); }
  bool number_integer(number_integer_t value) override { return add(Json(int64_t{value})); }
  bool number_unsigned(number_unsigned_t value) override { return add(Json(uint64_t{value})); }
  bool number_float(number_float_t value, const string_t&) override { return add(Json(value)); }
  bool string(string_t& value) override { return add(Json(unmark_bytes(std::move(value)))); }
  bool binary(binary_t&) override { return false; }
  bool key(string_t& value) override {
    keys_.back() = unmark_bytes(std::move(value));
    return true;
  }
  bool start_object(size_t) override { return open(Json::object()); }
  bool start_array(size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool parse_error(size_t, const std::string&, const nlohmann::json::exception&) override {
    return false;
  }

  Json result;

 private:
  bool open(Json container) {
    if (open_.size() >= kMaxDepth) return false;
    open_.push_back(std::move(container));
    keys_.emplace_back();
    return true;
  }
  bool close() {
    Json done = std::move(open_.back());
    open_.pop_back();
    keys_.pop_back();
    return add(std::move(done));
  }
  bool add(Json value) {
    if (open_.empty()) {
      result = std::move(value);
    } else if (open_.back().is_object()) {
      open_.back().set(keys_.back(), std::move(value));
    } else {
      open_.back().push(std::move(value));
    }
    return true;
  }

  std::vector<Json> open_;
  std::vector<std::string> keys_;
};

}  // namespace

Json Json::object() {
  Json json;
  json.value_ = Members{};
  return json;
}

Json Json::array() {
  return Json(Array{});
}

std::optional<Json> Json::parse(std::string_view text) {
  Builder builder;
  try {
    std::string marked = mark_bytes(text);
    if (!nlohmann::json::sax_parse(marked, &builder)) return std::nullopt;
  } catch (const std::exception&) {
    return std::nullopt;
  }
  return std::move(builder.result);
}

const Json* Json::find(std::string_view name) const {
  const Json* found = nullptr;
  for (const auto& [key, value] : members()) {
    if (key == name) found = &value;
  }
  return found;
}

const Json::Array& Json::items() const {
  static const Array none;
  const Array* array = std::get_if<Array>(&value_);
  return array ? *array : none;
}

const Json::Members& Json::members() const {
  static const Members none;
  const Members* members = std::get_if<Members>(&value_);
  return members ? *members : none;
}

std::string Json::text(std::string_view otherwise) const {
  const std::string* text = std::get_if<std::string>(&value_);
  return text ? *text : std::string(otherwise);
}

uint64_t Json::number(uint64_t otherwise) const {
  if (const uint64_t* n = std::get_if<uint64_t>(&value_)) return *n;
  if (const int64_t* n = std::get_if<int64_t>(&value_)) {
    return *n >= 0 ? static_cast<uint64_t>(*n) : otherwise;
  }
  return otherwise;
}

int64_t Json::integer(int64_t otherwise) const {
  if (const int64_t* n = std::get_if<int64_t>(&value_)) return *n;
  if (const uint64_t* n = std::get_if<uint64_t>(&value_)) {
    return *n <= INT64_MAX ? static_cast<int64_t>(*n) : otherwise;
  }
  return otherwise;
}

double Json::real(double otherwise) const {
  if (const double* n = std::get_if<double>(&value_)) return *n;
  if (const uint64_t* n = std::get_if<uint64_t>(&value_)) return static_cast<double>(*n);
  if (const int64_t* n = std::get_if<int64_t>(&value_)) return static_cast<double>(*n);
  return otherwise;
}

bool Json::truth(bool otherwise) const {
  const bool* b = std::get_if<bool>(&value_);
  return b ? *b : otherwise;
}

std::string Json::text_of(std::string_view name, std::string_view otherwise) const {
  const Json* member = find(name);
  return member ? member->text(otherwise) : std::string(otherwise);
}

uint64_t Json::number_of(std::string_view name, uint64_t otherwise) const {
  const Json* member = find(name);
  return member ? member->number(otherwise) : otherwise;
}

Json& Json::put(std::string_view name, Json value) {
  if (!is_object()) value_ = Members{};
  std::get<Members>(value_).emplace_back(std::string(name), std::move(value));
  return *this;
}

Json& Json::push(Json value) {
  if (!is_array()) value_ = Array{};
  std::get<Array>(value_).push_back(std::move(value));
  return *this;
}

std::string json_quote(std::string_view text) {
  // The longest escape of one byte is six characters.
  std::string room(text.size() * 6 + 1, '\0');
  Text out(room.data(), room.size());
  out.json(bytes(text));
  std::string quoted = "\"";
  quoted.append(out.c_str(), out.size());
  quoted += '"';
  return quoted;
}

void Json::dump_to(std::string& out) const {
  if (const bool* b = std::get_if<bool>(&value_)) {
    out += *b ? "true" : "false";
  } else if (const int64_t* i = std::get_if<int64_t>(&value_)) {
    out += std::to_string(*i);
  } else if (const uint64_t* u = std::get_if<uint64_t>(&value_)) {
    out += std::to_string(*u);
  } else if (const double* d = std::get_if<double>(&value_)) {
    char room[40];
    // "-0" would be read as an integer, which has no such zero.
    (void)snprintf(room, sizeof room, "%.17g", *d == 0 ? 0.0 : *d);
    out += std::isfinite(*d) ? room : "null";
  } else if (const std::string* s = std::get_if<std::string>(&value_)) {
    out += json_quote(*s);
  } else if (is_array()) {
    out += '[';
    for (const Json& item : items()) {
      if (&item != &items().front()) out += ',';
      item.dump_to(out);
    }
    out += ']';
  } else if (is_object()) {
    out += '{';
    for (const auto& member : members()) {
      if (&member != &members().front()) out += ',';
      out += json_quote(member.first) + ':';
      member.second.dump_to(out);
    }
    out += '}';
  } else {
    out += "null";
  }
}

std::string Json::dump() const {
  std::string out;
  dump_to(out);
  return out;
}

}  // namespace wbshim
