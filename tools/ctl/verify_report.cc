#include "tools/ctl/verify_report.h"

#include "core/util/display.h"
#include "core/util/json.h"
#include "tools/ctl/report.h"

namespace wbshim::ctl {

void VerifyReport::put(const std::string& text) {
  if (!broken_ && !put_out(text)) broken_ = true;
}

void VerifyReport::tell(const std::string& path, const Verdict& verdict,
                        const std::string& mended) {
  count(verdict.finding);
  if (mended.empty()) open_++;
  if (!mended.empty()) mended_++;
  told_++;
  if (json_) {
    Json json = Json::object();
    json.set("kind", finding_name(verdict.finding)).set("path", path).set("detail", verdict.detail);
    if (!mended.empty()) json.set("mended", mended);
    put((told_ == 1 ? "{\"findings\":[" : ",") + json.dump());
  } else if (most_ == 0 || told_ <= most_) {
    put(std::string(finding_title(verdict.finding)) + ": " + printable(prefix_ + "/" + path) +
        ": " + verdict.detail + (mended.empty() ? "" : "; mended: " + mended) + "\n");
  }
}

std::string VerifyReport::summary() const {
  std::string text;
  for (size_t i = 0; i < counts_.size(); i++) {
    const auto finding = static_cast<Finding>(i);
    if (finding == Finding::Nothing || (counts_[i] == 0 && finding != Finding::Ok)) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(counts_[i]) + " " + finding_title(finding);
  }
  return text + (mended_ > 0 ? "; " + std::to_string(mended_) + " mended" : "") + "\n";
}

void VerifyReport::finish(const std::string& failure) {
  if (!json_) {
    if (most_ > 0 && told_ > most_)
      put("and " + std::to_string(told_ - most_) + " more: `shim-ctl verify --json`\n");
    return put(summary());
  }
  Json counts = Json::object();
  for (size_t i = 1; i < counts_.size(); i++)
    counts.set(finding_name(static_cast<Finding>(i)), counts_[i]);
  std::string text = told_ == 0 ? "{\"findings\":[" : "";
  text += "],\"counts\":" + counts.dump() + ",\"mended\":" + std::to_string(mended_);
  text += std::string(",\"complete\":") + (failure.empty() ? "true" : "false");
  text += std::string(",\"ok\":") + (well() && failure.empty() ? "true" : "false");
  if (!failure.empty()) text += ",\"error\":" + json_quote(failure);
  put(text + "}\n");
}

}  // namespace wbshim::ctl
