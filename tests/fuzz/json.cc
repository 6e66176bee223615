// JSON: any text is read without harm; what was read can be written, and reads as the same.
#include "core/util/json.h"

#include "tests/fuzz/fuzz.h"

using namespace wbshim;
using fuzz::demand;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text = fuzz::Input(data, size).rest();
  if (const auto json = Json::parse(text)) {
    const std::string dumped = json->dump();
    const auto again = Json::parse(dumped);
    demand(again.has_value(), "what was written can be read");
    demand(again->dump() == dumped, "and is written the same");
  }
  const auto quoted = Json::parse(json_quote(text));
  demand(quoted && quoted->text() == text, "any bytes survive a quoted string");
  return 0;
}
