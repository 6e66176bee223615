#include "core/base/options.h"

namespace wbshim {

const OptionRow kOptions[kOptionCount] = {
#define WBSHIM_OPTION(id, kind, def, ready, sentence) \
  {#id, OptionKind::kind, def, Readiness::ready, sentence},
#include "core/base/options.def"
#undef WBSHIM_OPTION
};

const OptionRow& row(Option option) {
  return kOptions[static_cast<unsigned>(option)];
}

Durability parse_durability(Bytes text) {
  if (text == Bytes("remote")) return Durability::Remote;
  return text == Bytes("local") ? Durability::Local : Durability::None;
}

namespace {

bool digit(char c) {
  return c >= '0' && c <= '9';
}

// Reads decimal digits at *i; false when there are none or they overflow.
bool read_number(Bytes text, size_t* i, uint64_t* value) {
  size_t start = *i;
  *value = 0;
  while (*i < text.size && digit(text.data[*i])) {
    uint64_t next;
    if (__builtin_mul_overflow(*value, uint64_t{10}, &next) ||
        __builtin_add_overflow(next, static_cast<uint64_t>(text.data[*i] - '0'), value)) {
      return false;
    }
    ++*i;
  }
  return *i > start;
}

bool one_of(Bytes text, const char* choices) {
  // `choices` as "a, b or c": compare word by word.
  const char* p = choices;
  while (*p) {
    size_t n = 0;
    while (p[n] && p[n] != ',' && p[n] != ' ') n++;
    if (n > 0 && Bytes(p, n) == text && !(text == Bytes("or"))) return true;
    p += n;
    while (*p == ',' || *p == ' ') p++;
  }
  return false;
}

bool is_ratio(Bytes text) {
  size_t i = 0, dots = 0, digits = 0;
  for (; i < text.size; i++) {
    if (text.data[i] == '.')
      dots++;
    else if (digit(text.data[i]))
      digits++;
    else
      return false;
  }
  return digits > 0 && dots <= 1 && (text.data[0] == '0' || text.data[0] == '.');
}

bool is_name(Bytes text) {
  if (text.size == 0 || text.size > 64) return false;
  for (size_t i = 0; i < text.size; i++) {
    char c = text.data[i];
    if (!digit(c) && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && c != '.' && c != '_' &&
        c != '-')
      return false;
  }
  return true;
}

bool is_hours(Bytes text) {
  if (text.size == 0) return true;
  size_t i = 0;
  uint64_t from, to;
  if (!read_number(text, &i, &from) || i >= text.size || text.data[i] != '-') return false;
  i++;
  return read_number(text, &i, &to) && i == text.size && from < 24 && to <= 24;
}

}  // namespace

bool parse_duration_ms(Bytes text, uint64_t* ms) {
  size_t i = 0;
  uint64_t total = 0;
  if (text.size == 0) return false;
  while (i < text.size) {
    uint64_t value, unit = 1000;
    if (!read_number(text, &i, &value)) return false;
    if (i < text.size) {
      char c = text.data[i++];
      if (c == 'm' && i < text.size && text.data[i] == 's') {
        unit = 1;
        i++;
      } else if (c == 's')
        unit = 1000;
      else if (c == 'm')
        unit = 60000;
      else if (c == 'h')
        unit = 3600000;
      else if (c == 'd')
        unit = 86400000;
      else
        return false;
    }
    uint64_t part;
    if (__builtin_mul_overflow(value, unit, &part) || __builtin_add_overflow(total, part, &total))
      return false;
  }
  if (total > UINT64_C(86400000) * 36500) return false;  // a century: more is a slip
  *ms = total;
  return true;
}

bool parse_size(Bytes text, uint64_t* bytes) {
  size_t i = 0;
  uint64_t value;
  if (!read_number(text, &i, &value)) return false;
  unsigned shift = 0;
  if (i < text.size) {
    switch (text.data[i]) {
      case 'k':
      case 'K':
        shift = 10;
        i++;
        break;
      case 'm':
      case 'M':
        shift = 20;
        i++;
        break;
      case 'g':
      case 'G':
        shift = 30;
        i++;
        break;
      case 't':
      case 'T':
        shift = 40;
        i++;
        break;
      default:
        break;
    }
    if (shift > 0 && i < text.size && text.data[i] == 'i') i++;
    if (i < text.size && text.data[i] == 'B') i++;
  }
  if (i != text.size || (shift > 0 && value > (UINT64_MAX >> shift))) return false;
  *bytes = value << shift;
  return *bytes <= static_cast<uint64_t>(INT64_MAX);
}

bool parse_count(Bytes text, uint64_t* n) {
  size_t i = 0;
  return read_number(text, &i, n) && i == text.size && *n <= 1000000000;
}

const char* check(OptionKind kind, Bytes text) {
  uint64_t ignored;
  auto choice = [&](const char* choices) { return one_of(text, choices) ? nullptr : choices; };
  switch (kind) {
    case OptionKind::Text:
    case OptionKind::Path:
      return nullptr;
    case OptionKind::Name:
      return is_name(text) ? nullptr : "letters, digits, '.', '_' and '-', at most 64";
    case OptionKind::Url:
      return memchr(text.size ? text.data : "", ':', text.size) ? nullptr : "a URL";
    case OptionKind::Duration:
      return parse_duration_ms(text, &ignored) ? nullptr : "a duration such as 90s, 10m or 1h30m";
    case OptionKind::Size:
      return parse_size(text, &ignored) ? nullptr : "a size such as 512K, 25M or 100G";
    case OptionKind::Ratio:
      return is_ratio(text) ? nullptr : "a number from 0 to below 1, such as 0.1";
    case OptionKind::Count:
      return parse_count(text, &ignored) ? nullptr : "a whole number";
    case OptionKind::Hours:
      return is_hours(text) ? nullptr : "hours such as 22-6, or nothing";
    case OptionKind::Flag:
      return choice("0 or 1");
    case OptionKind::Address:
      return text.size == 0 || memchr(text.data, ':', text.size) ? nullptr
                                                                 : "host:port, or nothing";
    case OptionKind::Choice_sync_batch:
      return choice("sync or batch");
    case OptionKind::Choice_none_local_remote:
      return choice("none, local or remote");
    case OptionKind::Choice_private_shared:
      return choice("private or shared");
    case OptionKind::Choice_auto_none_crc32c:
      return choice("auto, none or crc32c");
    case OptionKind::Choice_auto_path_virtual:
      return choice("auto, path or virtual");
    case OptionKind::Choice_none_AES256_kms:
      return choice("none, AES256 or aws:kms");
    case OptionKind::Choice_error_warn_info_debug:
      return choice("error, warn, info or debug");
  }
  return nullptr;
}

}  // namespace wbshim
