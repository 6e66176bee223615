#include "tools/ctl/command_line.h"

#include <doctest/doctest.h>

using namespace wbshim;
using namespace wbshim::ctl;

namespace {

std::variant<CommandLine, Answer> parse(std::vector<const char*> words) {
  words.insert(words.begin(), "shim-ctl");
  return parse_command_line(static_cast<int>(words.size()), words.data());
}

CommandLine line_of(const std::vector<const char*>& words) {
  const auto parsed = parse(words);
  if (const Answer* answer = std::get_if<Answer>(&parsed)) {
    FAIL(answer->error);
    return {};
  }
  return std::get<CommandLine>(parsed);
}

Answer answer_of(const std::vector<const char*>& words) {
  const auto parsed = parse(words);
  REQUIRE(std::holds_alternative<Answer>(parsed));
  return std::get<Answer>(parsed);
}

}  // namespace

TEST_CASE("every command is known") {
  CHECK(line_of({"start"}).verb == Verb::Start);
  CHECK(line_of({"stop", "--flush"}).flush);
  CHECK(line_of({"flush", "--timeout", "1m30s"}).timeout_ms == 90000);
  CHECK(line_of({"status", "--json"}).json);
  CHECK(line_of({"ls"}).words.empty());
  CHECK(line_of({"ls", "-l", "a/b"}).long_listing);
  CHECK(line_of({"cat", "a", "b"}).words.size() == 2);
  CHECK(line_of({"env"}).verb == Verb::Env);
  CHECK(line_of({"doctor"}).words.empty());
  CHECK(line_of({"doctor", "make", "--json"}).words == std::vector<std::string>{"make"});
  CHECK(line_of({"run", "--mount", "make"}).mount);
  CHECK_FALSE(line_of({"run", "make", "--mount"}).mount);
  CHECK(line_of({"config", "--markdown"}).markdown);
}

TEST_CASE("options of the table stand before and after the command") {
  const CommandLine line =
      line_of({"--upload-delay", "5s", "start", "--meta=batch", "--volume=v", "--upload-delay=6s"});
  REQUIRE(line.flags.size() >= 3);
  for (const Flag& flag : line.flags) {
    if (flag.option == Option::UPLOAD_DELAY) CHECK(flag.value == "6s");
    if (flag.option == Option::META) CHECK(flag.value == "batch");
  }
  CHECK(line_of({"start", "--log-file", ""}).flags.at(0).value == "");
}

TEST_CASE("run: everything from the first word on is the command's") {
  const std::vector<std::string> expected = {"make", "-j4", "--flush", "--", "--json", "start"};
  CHECK(line_of({"run", "make", "-j4", "--flush", "--", "--json", "start"}).words == expected);
  CHECK(line_of({"run", "--", "make", "-j4", "--flush", "--", "--json", "start"}).words ==
        expected);
  CHECK_FALSE(line_of({"run", "make", "--flush"}).flush);
  const CommandLine line = line_of({"run", "--flush", "--meta", "batch", "--", "-odd", "--name"});
  CHECK(line.flush);
  CHECK(line.words == std::vector<std::string>{"-odd", "--name"});
  REQUIRE(line.flags.size() == 1);
  CHECK(line_of({"run", "echo", "--upload-delay", "x"}).flags.empty());
  CHECK(line_of({"run", "echo", "--help"}).words.size() == 2);
  CHECK(line_of({"run", "echo", "--version"}).words.size() == 2);
}

TEST_CASE("wrong usage: status 2, one line, a suggestion") {
  const auto error = [](const std::vector<const char*>& words) {
    const Answer answer = answer_of(words);
    CHECK(answer.status == 2);
    CHECK(answer.out.empty());
    CHECK(answer.error.find('\n') == std::string::npos);
    return answer.error;
  };
  CHECK(error({}).find("command is missing") != std::string::npos);
  CHECK(error({"sart"}).find("'start'?") != std::string::npos);
  CHECK(error({"start", "--uplod-delay", "1"}).find("'--upload-delay'?") != std::string::npos);
  CHECK(error({"flush", "--jsn"}).find("'--json'?") != std::string::npos);
  CHECK(error({"start", "--upload-delay"}).find("--upload-delay") != std::string::npos);
  CHECK(error({"start", "word"}).find("'word'") != std::string::npos);
  CHECK(error({"start", "--json"}).find("'--json'") != std::string::npos);
  CHECK(error({"flush", "--timeout", "soon"}).find("'soon'") != std::string::npos);
  CHECK(error({"flush", "--timeout", "0"}).find("above 0") != std::string::npos);
  CHECK(error({"run"}).find("command is missing") != std::string::npos);
  CHECK(error({"run", "--flush", "--"}).find("command is missing") != std::string::npos);
  CHECK(error({"run", "-x", "ls"}).find("'-x'") != std::string::npos);
  CHECK(error({"cat"}).find("PATH") != std::string::npos);
  CHECK(error({"doctor", "make", "gcc"}).find("'gcc'") != std::string::npos);
  error({"start", "stop"});
  error({"\n\x1b"});
}

TEST_CASE("help names every option with its sentence; version") {
  const Answer help = answer_of({"--help"});
  CHECK(help.status == 0);
  for (Option option : all_options()) {
    CHECK(help.out.find("--" + flag_name(option)) != std::string::npos);
    CHECK(help.out.find(row(option).sentence) != std::string::npos);
  }
  CHECK(answer_of({"flush", "--help"}).out.find("--timeout") != std::string::npos);
  CHECK(answer_of({"--version"}).out.compare(0, 9, "shim-ctl ") == 0);
}
