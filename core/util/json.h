// JSON as a small value. Parsing never throws and survives hostile text: depth, damage and odd
// types give nullopt or the default that the caller names. A lone \udc80..\udcff inside a string is
// the byte 0x80..0xff (core/base/text.h, Text::json), both ways: what parse() reads may be no
// UTF-8, and dump() escapes it again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace wbshim {

class Json {
 public:
  using Array = std::vector<Json>;
  using Members = std::vector<std::pair<std::string, Json>>;  // in the order they came

  Json() = default;  // null
  explicit Json(bool value) : value_(value) {}
  explicit Json(int64_t value) : value_(value) {}
  explicit Json(uint64_t value) : value_(value) {}
  explicit Json(double value) : value_(value) {}
  explicit Json(std::string value) : value_(std::move(value)) {}
  explicit Json(std::string_view value) : value_(std::string(value)) {}
  explicit Json(const char* value) : value_(std::string(value)) {}
  explicit Json(Array value) : value_(std::move(value)) {}

  static Json object();
  static Json array();
  static std::optional<Json> parse(std::string_view text);

  bool is_object() const { return std::holds_alternative<Members>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_text() const { return std::holds_alternative<std::string>(value_); }
  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }

  // The member of that name, null when there is none or this is no object. The last of equal names
  // counts.
  const Json* find(std::string_view name) const;
  // Elements of an array; none of anything else.
  const Array& items() const;
  const Members& members() const;

  // The value, or `otherwise` when it is of another kind. number(): a negative or broken number is
  // of another kind.
  std::string text(std::string_view otherwise = {}) const;
  uint64_t number(uint64_t otherwise = 0) const;
  int64_t integer(int64_t otherwise = 0) const;
  double real(double otherwise = 0) const;
  bool truth(bool otherwise = false) const;

  // The same of a member.
  std::string text_of(std::string_view name, std::string_view otherwise = {}) const;
  uint64_t number_of(std::string_view name, uint64_t otherwise = 0) const;

  // Building. set() makes this an object, push() an array.
  template <typename T>
  Json& set(std::string_view name, T value) {
    return put(name, Json(std::move(value)));
  }
  Json& set(std::string_view name, Json value) { return put(name, std::move(value)); }
  Json& set(std::string_view name, unsigned value) { return put(name, Json(uint64_t{value})); }
  Json& set(std::string_view name, int value) { return put(name, Json(int64_t{value})); }
  Json& push(Json value);

  // One line, no spaces.
  std::string dump() const;

 private:
  Json& put(std::string_view name, Json value);
  void dump_to(std::string& out) const;

  std::variant<std::monostate, bool, int64_t, uint64_t, double, std::string, Array, Members> value_;
};

// The text in double quotes, as dump() writes it.
std::string json_quote(std::string_view text);

}  // namespace wbshim
