#include "core/store/object_headers.h"

#include <sys/stat.h>

#include <charconv>
#include <cinttypes>
#include <cstdio>

#include "core/store/content_type.h"

namespace wbshim {

std::string mtime_text(int64_t mtime_ns) {
  constexpr int64_t kSecond = 1'000'000'000;
  int64_t seconds = mtime_ns / kSecond;
  int64_t rest = mtime_ns % kSecond;
  if (rest < 0) {
    rest += kSecond;
    seconds--;
  }
  char out[48];
  (void)snprintf(out, sizeof out, "%" PRId64 ".%09" PRId64, seconds, rest);
  return out;
}

bool parse_mtime(std::string_view text, int64_t* mtime_ns) {
  constexpr int64_t kSecond = 1'000'000'000;
  constexpr int64_t kMost = INT64_MAX / kSecond - 1;
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || seconds > kMost || seconds < -kMost) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  int64_t rest = 0;
  if (!text.empty()) {
    if (text.front() != '.') return false;
    text.remove_prefix(1);
    int64_t digit = kSecond / 10;
    for (const char c : text) {
      if (c < '0' || c > '9') return false;
      rest += (c - '0') * digit;
      digit /= 10;
    }
  }
  *mtime_ns = seconds * kSecond + rest;
  return true;
}

ObjectMeta object_meta(const std::function<std::string_view(std::string_view)>& header) {
  const auto number = [&](std::string_view name, auto* out) {
    const std::string_view text = header(name);
    (void)std::from_chars(text.data(), text.data() + text.size(), *out);
  };
  ObjectMeta meta;
  number("x-amz-meta-mode", &meta.mode);
  number("x-amz-meta-uid", &meta.uid);
  number("x-amz-meta-gid", &meta.gid);
  number(kGenerationHeader, &meta.generation);
  (void)parse_mtime(header("x-amz-meta-mtime"), &meta.mtime_ns);
  return meta;
}

std::vector<std::pair<std::string, std::string>> object_headers(const ObjectMeta& meta,
                                                                std::string_view key,
                                                                const ObjectOptions& options) {
  // A link's body is its target, whatever its name says.
  const std::string_view type = S_ISDIR(meta.mode)   ? "application/x-directory"
                                : S_ISREG(meta.mode) ? content_type_of(key)
                                                     : "application/octet-stream";
  std::vector<std::pair<std::string, std::string>> out = {
      {"content-type", std::string(type)},
      {"x-amz-meta-mode", std::to_string(meta.mode)},
      {"x-amz-meta-uid", std::to_string(meta.uid)},
      {"x-amz-meta-gid", std::to_string(meta.gid)},
      {"x-amz-meta-mtime", mtime_text(meta.mtime_ns)}};
  if (meta.generation != 0) out.emplace_back(kGenerationHeader, std::to_string(meta.generation));
  options.add_headers(out);
  return out;
}

}  // namespace wbshim
