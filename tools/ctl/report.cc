#include "tools/ctl/report.h"

#include <string.h>
#include <unistd.h>

#include <cerrno>

namespace wbshim::ctl {
namespace {

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

}  // namespace

void complain(std::string_view message) {
  (void)write_all(STDERR_FILENO, "shim-ctl: " + std::string(message) + "\n");
}

int report(const Outcome& outcome) {
  if (!outcome.message.empty()) complain(outcome.message);
  return outcome.status;
}

bool put_out(std::string_view text) {
  if (write_all(STDOUT_FILENO, text)) return true;
  complain(std::string("cannot write to standard output: ") + strerror(errno));
  return false;
}

}  // namespace wbshim::ctl
