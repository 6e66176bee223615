#include "tools/ctl/flush_answer.h"

#include <charconv>
#include <optional>

#include "core/util/json.h"

namespace wbshim::ctl {
namespace {

// "entries_done entries_total bytes_done bytes_total"
std::optional<Amount> parse_amount(std::string_view text) {
  Amount amount;
  uint64_t* const fields[] = {&amount.entries, &amount.entries_total, &amount.bytes,
                              &amount.bytes_total};
  const char* at = text.data();
  const char* const end = at + text.size();
  for (uint64_t* field : fields) {
    while (at < end && *at == ' ') at++;
    const auto parsed = std::from_chars(at, end, *field);
    if (parsed.ec != std::errc()) return {};
    at = parsed.ptr;
  }
  return amount;
}

}  // namespace

void FlushAnswer::take(std::string_view line) {
  const auto starts = [&](std::string_view head) { return line.substr(0, head.size()) == head; };
  if (line == "OK" || starts("OK ")) {
    complete_ = true;
  } else if (starts("ERR ")) {
    complete_ = true;
    line.remove_prefix(4);
    const size_t space = line.find(' ');
    error_ = std::string(line.substr(0, space));
    if (space != std::string_view::npos) message_ = std::string(line.substr(space + 1));
    if (error_.empty()) error_ = "EIO";
  } else if (starts("LEFT ")) {
    line.remove_prefix(5);
    const size_t quote = line.find(" \"");
    if (quote == std::string_view::npos) return;
    const auto path = Json::parse(line.substr(quote + 1));
    left_.push_back({path ? path->text() : std::string(line.substr(quote + 1)),
                     std::string(line.substr(0, quote))});
  } else if (starts("P ")) {
    if (const auto next = parse_amount(line.substr(2))) amount_ = *next;
  }
}

}  // namespace wbshim::ctl
