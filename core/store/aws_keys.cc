#include "core/store/aws_keys.h"

#include <time.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/store/xml_reader.h"
#include "core/util/display.h"
#include "core/util/json.h"

namespace wbshim {
namespace {

constexpr size_t kSecretLength = 40;  // of AWS' secrets; tokens are longer

// Takes so many digits off the front; -1: they are none.
int take_number(std::string_view& text, size_t digits) {
  int out = -1;
  if (text.size() < digits || text[0] < '0' || text[0] > '9') return -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, out);
  if (error != std::errc() || end != text.data() + digits) return -1;
  text.remove_prefix(digits);
  return out;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

// "Z", nothing, or "+01:00": seconds to subtract.
std::optional<int64_t> parse_offset(std::string_view text) {
  if (text.empty() || text == "Z" || text == "z") return 0;
  const bool minus = text[0] == '-';
  if (!minus && text[0] != '+') return std::nullopt;
  text.remove_prefix(1);
  const int hours = take_number(text, 2);
  (void)take(text, ':');
  const int minutes = take_number(text, 2);
  if (hours < 0 || minutes < 0 || !text.empty()) return std::nullopt;
  const int64_t out = hours * 3600 + minutes * 60;
  return minus ? -out : out;
}

Result<AwsKeys> checked(AwsKeys keys, std::string_view expiration, uint64_t now_ms) {
  if (const std::string fault = fault_of(keys.keys); !fault.empty()) return Error{fault};
  if (expiration.empty()) return keys;
  const auto end = parse_iso_time(expiration);
  if (!end) return Error{"its Expiration is no time"};
  if (*end <= now_ms) return Error{"the keys in its answer ended at " + iso_time(*end)};
  keys.expires_ms = *end;
  return keys;
}

bool in_secrets(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/' || c == '=';
}

bool key_like(std::string_view word) {
  const auto any = [&](char from, char to) {
    return std::any_of(word.begin(), word.end(), [&](char c) { return c >= from && c <= to; });
  };
  return word.size() >= kSecretLength && any('a', 'z') && any('A', 'Z') && any('0', '9');
}

}  // namespace

std::string fault_of(const sigv4::Keys& keys) {
  if (keys.id.empty()) return "it has no access key id";
  if (keys.secret.empty()) return "it has no secret access key";
  // Id and token stand in headers; what a secret is made of is its owner's affair.
  const auto all = [](const std::string& text, bool blanks) {
    return std::all_of(text.begin(), text.end(), [&](char c) {
      return c != '\r' && c != '\n' && c != '\0' && (blanks || (c > ' ' && c != '\x7f'));
    });
  };
  if (!all(keys.id, false) || !all(keys.token, false) || !all(keys.secret, true))
    return "its keys hold a line break, or an id or token that is not of printable ASCII";
  return {};
}

std::optional<uint64_t> parse_iso_time(std::string_view text) {
  struct tm at {};
  const auto part = [&text](int& out, size_t digits, char before) {
    if (before != '\0' && !take(text, before)) return false;
    out = take_number(text, digits);
    return out >= 0;
  };
  const bool date =
      part(at.tm_year, 4, '\0') && part(at.tm_mon, 2, '-') && part(at.tm_mday, 2, '-');
  if (!date || text.empty() || (text[0] != 'T' && text[0] != 't' && text[0] != ' '))
    return std::nullopt;
  text.remove_prefix(1);
  const bool time = part(at.tm_hour, 2, '\0') && part(at.tm_min, 2, ':') && part(at.tm_sec, 2, ':');
  const bool sound = time && at.tm_year >= 1970 && at.tm_mon >= 1 && at.tm_mon <= 12 &&
                     at.tm_mday >= 1 && at.tm_mday <= 31 && at.tm_hour <= 23 && at.tm_min <= 59 &&
                     at.tm_sec <= 60;
  if (!sound) return std::nullopt;
  if (take(text, '.')) {
    text.remove_prefix(std::min(text.find_first_not_of("0123456789"), text.size()));
  }
  const auto offset = parse_offset(text);
  if (!offset) return std::nullopt;
  at.tm_year -= 1900;
  at.tm_mon -= 1;
  const int64_t seconds = timegm(&at) - *offset;
  return seconds > 0 ? std::optional(static_cast<uint64_t>(seconds) * 1000) : std::nullopt;
}

std::string iso_time(uint64_t ms) {
  const auto seconds = static_cast<time_t>(ms / 1000);
  struct tm parts {};
  char text[32];
  gmtime_r(&seconds, &parts);
  return {text, strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

Result<AwsKeys> keys_of_json(std::string_view text, const char* token_name, uint64_t now_ms) {
  const auto json = Json::parse(text);
  if (!json || !json->is_object()) return Error{"its answer is no JSON object"};
  AwsKeys out;
  out.keys = {json->text_of("AccessKeyId"), json->text_of("SecretAccessKey"),
              json->text_of(token_name)};
  return checked(std::move(out), json->text_of("Expiration"), now_ms);
}

Result<AwsKeys> keys_of_sts(std::string_view text, uint64_t now_ms) {
  AwsKeys out;
  std::string expiration;
  bool whole = false;
  XmlReader reader(text);
  while (!whole && reader.next()) {
    whole = reader.depth() == 0;
    if (reader.parent() != "Credentials") continue;
    if (reader.name() == "AccessKeyId") out.keys.id = reader.text();
    if (reader.name() == "SecretAccessKey") out.keys.secret = reader.text();
    if (reader.name() == "SessionToken") out.keys.token = reader.text();
    if (reader.name() == "Expiration") expiration = reader.text();
  }
  if (!whole) return Error{"its answer is no document of STS'"};
  return checked(std::move(out), expiration, now_ms);
}

std::string without_key_like_words(std::string text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    while (end < text.size() && in_secrets(text[end])) end++;
    if (end == at) {
      out += text[at++];
      continue;
    }
    const std::string_view word = std::string_view(text).substr(at, end - at);
    out += key_like(word) ? std::string_view("***") : word;
    at = end;
  }
  return out;
}

}  // namespace wbshim
