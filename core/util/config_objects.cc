// What S3 would refuse of the options for new objects (WBSHIM_S3_…), or a header cannot hold.
#include <algorithm>
#include <set>

#include "core/util/config_loader.h"
#include "core/util/display.h"

namespace wbshim {
namespace {

constexpr size_t kMostTags = 10;
constexpr size_t kLongestTagKey = 128;  // characters, decoded
constexpr size_t kLongestTagValue = 256;
constexpr size_t kLongestWord = 64;
constexpr size_t kLongestLine = 2048;

bool letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_word(std::string_view text) {
  return text.size() <= kLongestWord && std::all_of(text.begin(), text.end(), [](char c) {
           return letter_or_digit(c) || c == '-' || c == '_';
         });
}

bool is_line(std::string_view text) {
  return text.size() <= kLongestLine &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// False: it is not URL-encoded.
bool decode(std::string_view text, std::string* out) {
  for (size_t i = 0; i < text.size(); i++) {
    const char c = text[i];
    if (letter_or_digit(c) || std::string_view("-._~*").find(c) != std::string_view::npos) {
      *out += c;
    } else if (c == '+') {
      *out += ' ';
    } else if (c == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
               hex_value(text[i + 2]) >= 0) {
      *out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      return false;
    }
  }
  return true;
}

size_t characters(std::string_view utf8) {
  return static_cast<size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

// What is wrong with one tag; empty: nothing.
std::string wrong_tag(std::string_view tag, std::set<std::string>* names) {
  const std::string shown = "the tag '" + printable(tag) + "' ";
  const size_t equals = tag.find('=');
  if (equals == std::string_view::npos) return shown + "has no '='; write it as name=value";
  std::string name, value;
  if (!decode(tag.substr(0, equals), &name) || !decode(tag.substr(equals + 1), &value))
    return shown + "is not URL-encoded; write %20 for a blank, %3D for '=', %2F for '/'";
  if (name.empty()) return shown + "has no name; write it as name=value";
  if (name.compare(0, 4, "aws:") == 0)
    return shown + "begins with aws:, which is Amazon's; rename it";
  if (characters(name) > kLongestTagKey || characters(value) > kLongestTagValue)
    return shown + "is too long; a name has at most 128 characters, a value 256";
  if (!names->insert(name).second) return shown + "has the name of another; leave one of them out";
  return {};
}

std::string wrong_tags(std::string_view text) {
  std::set<std::string> names;
  for (size_t from = 0; !text.empty() && from <= text.size();) {
    const size_t end = std::min(text.find('&', from), text.size());
    std::string wrong = wrong_tag(text.substr(from, end - from), &names);
    if (!wrong.empty()) return wrong;
    from = end + 1;
  }
  if (names.size() > kMostTags)
    return "S3 takes at most ten tags; leave out " + std::to_string(names.size() - kMostTags);
  return {};
}

}  // namespace

Status ConfigLoader::check_objects() const {
  constexpr std::string_view kAcls[] = {"",
                                        "private",
                                        "public-read",
                                        "public-read-write",
                                        "authenticated-read",
                                        "log-delivery-write",
                                        "aws-exec-read",
                                        "bucket-owner-read",
                                        "bucket-owner-full-control"};
  if (!is_word(text(Option::S3_STORAGE_CLASS)))
    return blame(Option::S3_STORAGE_CLASS,
                 "expected one word such as STANDARD_IA, INTELLIGENT_TIERING or GLACIER_IR");
  if (std::find(std::begin(kAcls), std::end(kAcls), text(Option::S3_ACL)) == std::end(kAcls))
    return blame(Option::S3_ACL,
                 "expected a canned ACL: private, public-read, public-read-write, "
                 "authenticated-read, aws-exec-read, bucket-owner-read or "
                 "bucket-owner-full-control");
  const std::string& key = text(Option::S3_SSE_KMS_KEY_ID);
  if (!key.empty() && text(Option::S3_SSE) != "aws:kms")
    return blame(Option::S3_SSE_KMS_KEY_ID,
                 "a key is for aws:kms only; set WBSHIM_S3_SSE=aws:kms, or leave the key out");
  if (!is_line(key) || key.find(' ') != std::string::npos)
    return blame(Option::S3_SSE_KMS_KEY_ID, "expected a key's id, alias or ARN, without blanks");
  if (!is_line(text(Option::S3_CACHE_CONTROL)))
    return blame(Option::S3_CACHE_CONTROL, "expected one line of ASCII such as max-age=3600");
  const std::string tags = wrong_tags(text(Option::S3_TAGS));
  return tags.empty() ? Status(Ok{}) : blame(Option::S3_TAGS, tags);
}

}  // namespace wbshim
