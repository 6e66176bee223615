// Between core/base's Bytes and the standard library's strings.
#pragma once

#include <string>
#include <string_view>

#include "core/base/span.h"

namespace wbshim {

inline Bytes bytes(std::string_view text) {
  return Bytes(text.data(), text.size());
}
inline std::string_view view(Bytes b) {
  return std::string_view(b.data, b.size);
}
inline std::string to_string(Bytes b) {
  return std::string(b.data, b.size);
}

}  // namespace wbshim
