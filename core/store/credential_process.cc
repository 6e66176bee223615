#include "core/store/credential_process.h"

#include "core/util/display.h"
#include "core/util/json.h"

namespace wbshim {
namespace {

constexpr size_t kMaxShown = 300;

// What the program itself says, as part of our line.
std::string said(const ProcessEnd& end) {
  std::string text = end.err;
  while (!text.empty() && (text.back() == '\n' || text.back() == '.' || text.back() == ' '))
    text.pop_back();
  // A program that prints its own variables may show any of these.
  if (const auto json = Json::parse(end.out)) {
    for (const char* name : {"SecretAccessKey", "SessionToken"}) {
      const std::string secret = json->text_of(name);
      for (size_t at = 0; !secret.empty() && (at = text.find(secret, at)) != std::string::npos;)
        text.replace(at, secret.size(), "***");
    }
  }
  text = without_key_like_words(text);
  if (text.size() > kMaxShown) {  // its end, from the beginning of a line if there is one
    text.erase(0, text.size() - kMaxShown);
    const size_t line = text.find('\n');
    text.erase(0, line == std::string::npos ? 0 : line + 1);
  }
  text = printable(hide_logins(text));
  return text.empty() ? text : ": " + text;
}

}  // namespace

std::optional<std::vector<std::string>> shell_words(std::string_view line) {
  std::vector<std::string> out;
  std::string word;
  bool in_word = false;
  char quote = '\0';
  for (size_t i = 0; i < line.size(); i++) {
    const char c = line[i];
    const bool more = i + 1 < line.size();
    if (c == '\\' && quote != '\'') {
      if (!more) return std::nullopt;
      const char next = line[i + 1];
      const bool escapes = quote == '\0' || next == '"' || next == '\\';
      if (!escapes) word += c;
      word += next;
      in_word = true;
      i++;
    } else if (quote != '\0') {
      if (c == quote) {
        quote = '\0';
      } else {
        word += c;
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      in_word = true;
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      if (in_word) out.push_back(std::move(word));
      word.clear();
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (quote != '\0') return std::nullopt;
  if (in_word) out.push_back(std::move(word));
  return out;
}

Result<AwsKeys> keys_of_process(
    const std::string& command, const std::string& from, uint64_t now_ms,
    const std::function<ProcessEnd(const std::vector<std::string>&)>& run) {
  const std::string what = "credential_process in " + from;
  const auto words = shell_words(command);
  if (!words || words->empty()) return Error{what + " is no command: a quote is not closed"};
  const std::string program = " ('" + printable(words->front()) + "')";
  const ProcessEnd end = run(*words);
  if (!end.failure.empty())
    return Error{what + program + " " + end.failure + said(end) + "; run it by hand to mend it"};
  if (end.status != 0) {
    return Error{what + program + " ended with status " + std::to_string(end.status) + said(end) +
                 "; run it by hand to mend it"};
  }
  const auto json = Json::parse(end.out);
  if (json && json->is_object() && json->number_of("Version") != 1) {
    return Error{what + program +
                 ": its answer is not of Version 1; it must print {\"Version\": 1, "
                 "\"AccessKeyId\": …, \"SecretAccessKey\": …}"};
  }
  auto keys = keys_of_json(end.out, "SessionToken", now_ms);
  if (!keys) {
    return Error{what + program + ": " + keys.message() + said(end) +
                 "; run it by hand to mend it"};
  }
  keys.value().id_from = keys.value().secret_from = what;
  return keys;
}

}  // namespace wbshim
