// A bounded text writer: appends into a buffer that the caller owns, never past its end, never
// allocates. One byte is kept for a NUL, so c_str() is always terminated. When something does not
// fit, ok() turns false and stays so.
#pragma once

#include <cstdint>

#include "core/base/span.h"

namespace wbshim {

class Text {
 public:
  Text(char* room, size_t size) : data_(room), room_(size) {
    if (room_ > 0) data_[0] = '\0';
  }
  template <size_t N>
  explicit Text(char (&room)[N]) : Text(room, N) {}

  Text& add(Bytes bytes);
  Text& add(char c) { return add(Bytes(&c, 1)); }
  Text& number(int64_t value);
  Text& unsigned_number(uint64_t value);
  Text& hex(uint64_t value, int digits);  // lower case, left-padded with zeros
  // The inside of a JSON string: quotes, backslashes and control bytes escaped; bytes that are no
  // UTF-8 become U+DC80..U+DCFF as \udcXX, one a byte (reversible, as Python's surrogateescape;
  // README "File names").
  Text& json(Bytes bytes);

  bool ok() const { return ok_; }
  size_t size() const { return size_; }
  const char* c_str() const { return data_; }
  Bytes bytes() const { return Bytes(data_, size_); }
  // Room for a system call that writes by itself: end() takes up to left() bytes, advance() says
  // how many it was.
  char* end() { return data_ + size_; }
  size_t left() const { return room_ - size_ > 0 ? room_ - size_ - 1 : 0; }
  void advance(size_t n) {
    size_ += n < left() ? n : left();
    data_[size_] = '\0';
  }
  // Keeps the first n bytes.
  void truncate(size_t n) {
    if (n < size_) size_ = n;
    if (room_ > 0) data_[size_] = '\0';
  }
  void clear() {
    size_ = 0;
    ok_ = true;
    if (room_ > 0) data_[0] = '\0';
  }

 private:
  char* data_;
  size_t room_;
  size_t size_ = 0;
  bool ok_ = true;
};

}  // namespace wbshim
