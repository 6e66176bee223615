// shim-ctl: starts, stops, asks and flushes what works behind libwbshim.so.
#include "core/util/config.h"
#include "core/util/secrecy.h"
#include "core/volume/resolver.h"
#include "tools/ctl/command_line.h"
#include "tools/ctl/commands.h"
#include "tools/ctl/report.h"

namespace wbshim::ctl {
namespace {

int dispatch(const CommandLine& line, const Config& config) {
  switch (line.verb) {
    case Verb::Start:
      return command_start(line, config);
    case Verb::Stop:
      return command_stop(line, config);
    case Verb::Flush:
      return command_flush(line, config);
    case Verb::Run:
      return command_run(line, config);
    case Verb::Status:
      return command_status(line, config);
    case Verb::List:
      return command_ls(line, config);
    case Verb::Cat:
      return command_cat(line, config);
    case Verb::Doctor:
      return command_doctor(line, config);
    case Verb::Retry:
      return command_retry(line, config);
    case Verb::Verify:
      return command_verify(line, config);
    case Verb::Env:
      return command_env(line, config);
    case Verb::Config:
      return command_config(line, config);
  }
  return kWrong;
}

int run(int argc, char** argv) {
  const auto parsed = parse_command_line(argc, argv);
  hide_arguments(argc, argv);
  if (const Answer* answer = std::get_if<Answer>(&parsed)) {
    if (!answer->out.empty() && !put_out(answer->out)) return kFailed;
    return report({answer->status, answer->error});
  }
  const CommandLine& line = std::get<CommandLine>(parsed);
  if (line.verb == Verb::Config && line.markdown)
    return put_out(option_table_markdown()) ? kDone : kFailed;
  const Result<Config> config = Config::load(ConfigSources::system(line.flags));
  if (!config) return report(Outcome::wrong(config.message()));
  return dispatch(line, config.value());
}

}  // namespace
}  // namespace wbshim::ctl

int main(int argc, char** argv) {
  try {
    wbshim::install_redis_resolver();
    return wbshim::ctl::run(argc, argv);
  } catch (...) {
    wbshim::ctl::complain("out of memory");
    return wbshim::ctl::kFailed;
  }
}
