#include "core/store/credential_process.h"

#include <cstdlib>

#include "core/util/clock.h"
#include "tests/unit/core/store/aws_home.h"

using namespace wbshim;
using test::hides;
using test::kNow_ms;
using test::mentions;

namespace {

using Words = std::vector<std::string>;
constexpr uint64_t kPatience_ms = 20'000;

ProcessEnd shell(const std::string& script, uint64_t limit_ms = kPatience_ms,
                 const std::function<bool()>& stopped = {}) {
  return run_program({"sh", "-c", script}, limit_ms, stopped);
}

Result<AwsKeys> keys(const ProcessEnd& end) {
  return keys_of_process("/opt/tool 'a b'", "~/.aws/config [x]", kNow_ms, [&](const Words& words) {
    CHECK(words == Words{"/opt/tool", "a b"});
    return end;
  });
}

std::string error(const ProcessEnd& end) {
  auto found = keys(end);
  return found.ok() ? "no error" : found.message();
}

ProcessEnd prints(const std::string& out, int status = 0, const std::string& err = "") {
  ProcessEnd end;
  end.status = status;
  end.out = out;
  end.err = err;
  return end;
}

}  // namespace

TEST_CASE("credential_process: words of a command line") {
  CHECK(shell_words(R"(/a/b --x 'c d' "e \"f\" \g" h\ i '' "")").value() ==
        Words{"/a/b", "--x", "c d", R"(e "f" \g)", "h i", "", ""});
  CHECK(shell_words("a'b'\"c\"$X").value() == Words{"abc$X"});
  CHECK(shell_words(" \t ").value().empty());
  for (const char* open : {"a 'b", "a \"b", "a \\"}) CHECK_FALSE(shell_words(open).has_value());
}

TEST_CASE("credential_process: a program is run to its end") {
  const ProcessEnd end = shell("echo out; echo err >&2; exit 3");
  CHECK(end.failure == "");
  CHECK(end.status == 3);
  CHECK(end.out == "out\n");
  CHECK(end.err == "err\n");
  CHECK(shell("kill -9 $$").status == 128 + 9);
  CHECK(shell("cat").status == 0);  // no input
  mentions(run_program({"/nowhere/tool"}, kPatience_ms, {}).failure, {"No such file"});
  // Much output is read to its end and cut, not waited for.
  CHECK(shell("i=0; while [ $i -lt 9000 ]; do echo 0123456789012345678901234567890123456789; "
              "i=$((i+1)); done")
            .out.size() == 256 * 1024);
}

TEST_CASE("credential_process: the environment is ours without LD_PRELOAD and options") {
  setenv("WBSHIM_REDIS_URL", "redis://:hush@h", 1);
  setenv("WBTEST_VARIABLE", "kept", 1);
  setenv("LD_PRELOAD", "", 1);
  CHECK(shell("echo ${LD_PRELOAD-none} ${WBSHIM_REDIS_URL-none} $WBTEST_VARIABLE").out ==
        "none none kept\n");
  unsetenv("WBSHIM_REDIS_URL");
  unsetenv("LD_PRELOAD");
}

TEST_CASE("credential_process: one that hangs is killed, with what it started") {
  const SystemClock clock;
  const uint64_t start = clock.now_ms();
  mentions(shell("sleep 60 & sleep 60", 300).failure, {"did not end within"});
  mentions(shell("exec >&- 2>&-; sleep 60", 300).failure, {"did not end within"});
  mentions(shell("sleep 60", kPatience_ms, [] { return true; }).failure, {"did not end"});
  CHECK(clock.now_ms() - start < kPatience_ms);
}

TEST_CASE("credential_process: its answer") {
  auto found = keys(prints(test::json_keys("P", "SessionToken")));
  REQUIRE(found.ok());
  CHECK(found.value().keys.token == "T-P");
  CHECK(found.value().id_from == "credential_process in ~/.aws/config [x]");

  mentions(error(prints("", 1, "session is over.\nlog in")),
           {"credential_process in ~/.aws/config [x] ('/opt/tool') ended with status 1",
            "session is over.\\nlog in", "run it by hand"});
  mentions(error(prints("no json")), {"'/opt/tool'", "no JSON object"});
  mentions(error(prints(R"({"Version":2,"AccessKeyId":"I"})")), {"Version 1"});
  mentions(error(prints(R"({"AccessKeyId":"I","SecretAccessKey":"x"})")), {"Version 1"});
  const std::string leaky =
      error(prints(test::json_keys("P", "SessionToken", "2020-01-01T00:00:00Z"), 0,
                   "secret is S-P, token T-P, old wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"));
  mentions(leaky, {"ended at 2020-01-01", "secret is ***, token ***, old ***"});
  hides(leaky, {"S-P", "T-P", "wJalr"});
  const std::string traceback =
      error(prints("", 1, "Traceback:\n" + std::string(300, 'x') + "\nValueError: no login\n"));
  mentions(traceback, {"status 1: ValueError: no login; run"});
  ProcessEnd failed;
  failed.failure = "did not end within 20 s";
  mentions(error(failed), {"did not end within 20 s"});
  mentions(keys_of_process("'open", "~/c [x]", kNow_ms, {}).message(), {"quote"});
}
