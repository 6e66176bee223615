#include "core/base/text.h"

namespace wbshim {
namespace {

constexpr char kHex[] = "0123456789abcdef";

// Length of the well-formed UTF-8 sequence at p, 0 when there is none (overlong forms, surrogates
// and > U+10FFFF included).
size_t utf8_length(const unsigned char* p, size_t left) {
  auto continues = [&](size_t i) { return i < left && (p[i] & 0xc0) == 0x80; };
  if (p[0] < 0x80) return 1;
  if (p[0] >= 0xc2 && p[0] <= 0xdf) return continues(1) ? 2 : 0;
  if (p[0] >= 0xe0 && p[0] <= 0xef) {
    if (!continues(1) || !continues(2)) return 0;
    if (p[0] == 0xe0 && p[1] < 0xa0) return 0;
    if (p[0] == 0xed && p[1] > 0x9f) return 0;
    return 3;
  }
  if (p[0] >= 0xf0 && p[0] <= 0xf4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (p[0] == 0xf0 && p[1] < 0x90) return 0;
    if (p[0] == 0xf4 && p[1] > 0x8f) return 0;
    return 4;
  }
  return 0;
}

}  // namespace

Text& Text::add(Bytes bytes) {
  if (!ok_ || bytes.size >= room_ - size_) {
    ok_ = ok_ && bytes.size == 0;
    return *this;
  }
  if (bytes.size > 0) memcpy(data_ + size_, bytes.data, bytes.size);
  size_ += bytes.size;
  data_[size_] = '\0';
  return *this;
}

Text& Text::unsigned_number(uint64_t value) {
  char digits[20];
  size_t n = sizeof digits;
  do {
    digits[--n] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value > 0);
  return add(Bytes(digits + n, sizeof digits - n));
}

Text& Text::number(int64_t value) {
  if (value >= 0) return unsigned_number(static_cast<uint64_t>(value));
  add('-');
  return unsigned_number(~static_cast<uint64_t>(value) + 1);
}

Text& Text::hex(uint64_t value, int digits) {
  char room[16];
  if (digits > 16) digits = 16;
  for (int i = digits - 1; i >= 0; i--) {
    room[i] = kHex[value & 15];
    value >>= 4;
  }
  return add(Bytes(room, static_cast<size_t>(digits)));
}

Text& Text::json(Bytes bytes) {
  const auto* p = reinterpret_cast<const unsigned char*>(bytes.data);
  size_t i = 0;
  while (i < bytes.size) {
    size_t n = utf8_length(p + i, bytes.size - i);
    if (n == 0) {
      add("\\udc").hex(p[i], 2);
      i++;
    } else if (n == 1 && (p[i] == '"' || p[i] == '\\')) {
      add('\\').add(bytes.data[i]);
      i++;
    } else if (n == 1 && (p[i] < 0x20 || p[i] == 0x7f)) {
      add("\\u00").hex(p[i], 2);
      i++;
    } else {
      add(Bytes(bytes.data + i, n));
      i += n;
    }
  }
  return *this;
}

}  // namespace wbshim
