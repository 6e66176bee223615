#include "tools/ctl/command_line.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <string_view>

#include "core/util/bytes.h"
#include "core/util/display.h"

namespace wbshim::ctl {
namespace {

constexpr const char* kOptionsGroup =
    "Options, each also WBSHIM_NAME in the environment or `name = value` in the file";

// The command of `run` starts with the first word after "run" that is no option of ours, nor the
// value of one, or after "--". CLI11 would take options out of it. Returns where our own words end;
// `words` gets the command.
int split_off_command(int argc, const char* const* argv, std::vector<std::string>& words) {
  bool run = false;
  for (int i = 1; i < argc; i++) {
    const std::string_view word = argv[i];
    if (run && word == "--") {
      words.assign(argv + i + 1, argv + argc);
      return i;
    }
    const bool flag = word.size() > 1 && word.front() == '-';
    if (!flag && run) {
      words.assign(argv + i, argv + argc);
      return i;
    }
    if (!flag && word != "run") return argc;
    if (!flag) run = true;
    const auto all = all_options();
    if (std::any_of(all.begin(), all.end(),
                    [&](Option option) { return word == "--" + flag_name(option); }))
      i++;
  }
  return argc;
}

struct Parser {
  CLI::App app{"Stages a build's files locally and ships them to object storage later.",
               "shim-ctl"};
  CommandLine line;
  std::vector<std::string> values = std::vector<std::string>(kOptionCount);
  std::string timeout;
  std::vector<std::pair<CLI::App*, Verb>> verbs;
};

void add_table_options(Parser& p) {
  for (Option option : all_options()) {
    const OptionRow& about = row(option);
    std::string text = about.sentence;
    if (about.fallback[0] != '\0') text += " [" + fallback_text(option) + "]";
    if (about.ready == Readiness::Later) text += " (not available yet)";
    p.app.add_option("--" + flag_name(option), p.values[static_cast<unsigned>(option)], text)
        ->type_name("")
        ->take_last()
        ->group(kOptionsGroup);
  }
}

CLI::App* add_verb(Parser& p, Verb verb, const char* name, const char* text) {
  CLI::App* sub = p.app.add_subcommand(name, text);
  sub->fallthrough();
  sub->footer("The options of wbshim: shim-ctl --help");
  p.verbs.emplace_back(sub, verb);
  return sub;
}

void add_verify(Parser& p) {
  CLI::App* verify =
      add_verb(p, Verb::Verify, "verify",
               "compare files, records and stored objects, of everything or below each PATH");
  verify->add_flag("--json", p.line.json, "print one JSON document with every disagreement");
  verify->add_flag("--deep", p.line.deep,
                   "read each object, and compare its bytes with the file's");
  verify->add_flag("--quick", p.line.quick, "by the store's lists alone: ETags and sizes");
  verify->add_flag("--repair", p.line.repair,
                   "mend what can be mended without guessing; starts what is missing");
  verify->add_flag("--delete-strays", p.line.delete_strays,
                   "with --repair: delete wbshim's objects that belong to no file");
  verify->add_flag("--restore-strays", p.line.restore_strays,
                   "with --repair: record them again as files that are only in the store");
  verify->add_option("PATH", p.line.words, "under the prefix, or relative to it")->type_name("");
}

void add_verbs(Parser& p) {
  const char* json = "print one JSON document";
  add_verb(p, Verb::Start, "start",
           "start the uploader (and the private Redis) if they are not running");
  add_verb(p, Verb::Stop, "stop",
           "stop the uploader and the private Redis; what waits for its upload is kept")
      ->add_flag("--flush", p.line.flush, "upload everything first");
  CLI::App* flush =
      add_verb(p, Verb::Flush, "flush", "upload everything that is closed by now, and wait for it");
  flush
      ->add_option("--timeout", p.timeout,
                   "give up after this long, such as 90s or 10m: exit status 124")
      ->type_name("DURATION");
  flush->add_flag("--json", p.line.json, json);
  CLI::App* run = add_verb(p, Verb::Run, "run",
                           "run a command with the library loaded, and exit with its status");
  run->add_flag("--flush", p.line.flush, "upload everything when the command has ended");
  run->add_flag(
      "--mount", p.line.mount,
      "make the prefix a real directory for the command, in a mount namespace of its own: "
      "static programs, Go and RUNPATH find it, too");
  run->footer(
      "COMMAND [ARGUMENT]… is everything from the first word on that is no option, or from -- on.\n"
      "--mount needs CAP_SYS_ADMIN or, as an ordinary user, user namespaces; in one, files of "
      "others\n"
      "show as nobody's, sudo refuses to work, and ssh may complain. Cannot be had: exit status "
      "2.\n"
      "The options of wbshim: shim-ctl --help");
  add_verb(p, Verb::Status, "status", "what runs, what waits, what went wrong and what to do")
      ->add_flag("--json", p.line.json, json);
  CLI::App* list = add_verb(p, Verb::List, "ls", "list a directory, or a file, as Redis knows it");
  list->add_flag("-l", p.line.long_listing, "with mode, size, time and state");
  list->add_flag("--json", p.line.json, json);
  list->add_option("PATH", p.line.words, "under the prefix, or relative to it")->type_name("");
  CLI::App* cat =
      add_verb(p, Verb::Cat, "cat", "print files: the local copy, or the stored object");
  cat->add_option("PATH", p.line.words, "under the prefix, or relative to it")
      ->type_name("")
      ->required();
  CLI::App* retry = add_verb(p, Verb::Retry, "retry",
                             "try dead letters again now: all, or those at and below each PATH");
  retry->add_flag("--json", p.line.json, json);
  retry->add_option("PATH", p.line.words, "under the prefix, or relative to it")->type_name("");
  add_verify(p);
  CLI::App* doctor =
      add_verb(p, Verb::Doctor, "doctor",
               "check library, Redis, store, disk and limits; with PROGRAM: whether that sees the "
               "prefix, and what to do");
  doctor->add_flag("--json", p.line.json, json);
  doctor->add_option("PROGRAM", p.line.words, "a path, or a name in PATH")->type_name("");
  add_verb(p, Verb::Env, "env", "print the exports for plain LD_PRELOAD: eval \"$(shim-ctl env)\"");
  CLI::App* config = add_verb(p, Verb::Config, "config",
                              "print every option with its value and where that comes from");
  config->add_flag("--json", p.line.json, json);
  config->add_flag("--markdown", p.line.markdown, "print the table of options as README has it");
}

Answer wrong(const std::string& message) {
  return Answer{2, "", printable(message) + "; see `shim-ctl --help`"};
}

// CLI11 names what it did not expect; the nearest of what it does know helps more.
Answer unexpected(const Parser& p, const std::vector<std::string>& extras) {
  std::vector<std::string> known;
  const std::string& word = extras.front();
  const bool flag = word.compare(0, 1, "-") == 0;
  const CLI::App* chosen = nullptr;
  for (const auto& [sub, verb] : p.verbs) {
    if (!flag) known.push_back(sub->get_name());
    if (sub->parsed()) chosen = sub;
  }
  for (const CLI::App* app : {&p.app, chosen}) {
    if (app == nullptr || !flag) continue;
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    }
  }
  const std::string near = nearest(word.substr(0, word.find('=')), known);
  return wrong(std::string("unknown ") +
               (flag     ? "option"
                : chosen ? "argument"
                         : "command") +
               " '" + word + "'" +
               (near.empty() || (chosen && !flag) ? "" : "; did you mean '" + near + "'?"));
}

std::variant<CommandLine, Answer> finish(Parser& p) {
  const CLI::App* chosen = nullptr;
  for (const auto& [sub, verb] : p.verbs) {
    if (!sub->parsed()) continue;
    chosen = sub;
    p.line.verb = verb;
  }
  if (chosen == nullptr) return wrong("a command is missing, such as start, run or flush");
  for (Option option : all_options()) {
    const auto* given = p.app.get_option("--" + flag_name(option));
    if (given->count() > 0)
      p.line.flags.push_back({option, p.values[static_cast<unsigned>(option)]});
  }
  if (p.line.verb == Verb::Run) {
    if (p.line.words.empty())
      return wrong("run: the command is missing: shim-ctl run [--flush] [--mount] [--] COMMAND…");
  }
  if (p.line.verb == Verb::Doctor && p.line.words.size() > 1)
    return wrong("doctor: one program at a time; '" + p.line.words[1] + "' is one too many");
  const CommandLine& line = p.line;
  if (line.verb == Verb::Verify && line.deep && line.quick)
    return wrong("verify: --deep and --quick exclude each other");
  if (line.verb == Verb::Verify && line.delete_strays && line.restore_strays)
    return wrong("verify: --delete-strays and --restore-strays exclude each other");
  if (line.verb == Verb::Verify && !line.repair && (line.delete_strays || line.restore_strays))
    return wrong("verify: strays are only touched together with --repair");
  if (!p.timeout.empty() &&
      (!parse_duration_ms(bytes(p.timeout), &p.line.timeout_ms) || p.line.timeout_ms == 0)) {
    return wrong("--timeout is '" + p.timeout +
                 "' (command line): expected a duration above 0, such as 90s or 10m");
  }
  return p.line;
}

}  // namespace

std::variant<CommandLine, Answer> parse_command_line(int argc, const char* const* argv) {
  Parser p;
  p.app.set_version_flag("--version", std::string("shim-ctl ") + WBSHIM_VERSION);
  add_table_options(p);
  add_verbs(p);
  p.app.require_subcommand(0, 1);
  try {
    p.app.parse(split_off_command(argc, argv, p.line.words), argv);
  } catch (const CLI::CallForVersion& version) {
    return Answer{0, std::string(version.what()) + "\n", ""};
  } catch (const CLI::CallForHelp&) {
    return Answer{0, p.app.help(), ""};
  } catch (const CLI::CallForAllHelp&) {
    return Answer{0, p.app.help("", CLI::AppFormatMode::All), ""};
  } catch (const CLI::ExtrasError&) {
    const auto extras = p.app.remaining(true);
    return extras.empty() ? wrong("unexpected arguments") : unexpected(p, extras);
  } catch (const CLI::ArgumentMismatch& e) {
    const std::string text = e.what();  // "--name: 1 required  missing"
    return wrong("the value of " + text.substr(0, text.find(':')) + " is missing");
  } catch (const CLI::ParseError& e) {
    return wrong(e.what());
  }
  return finish(p);
}

}  // namespace wbshim::ctl
