#include "core/util/secrecy.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>

#include "core/util/display.h"

namespace wbshim {
namespace {

void overwrite(char* from) {
  memset(from, '*', strlen(from));
}

bool is_url_option(std::string_view word) {
  return word == "--redis-url" || word == "--store-url";
}

// Keeps what stands before "://", if anything does.
void hide_url(char* url) {
  if (hide_secrets(url) == url) return;
  char* scheme = strstr(url, "://");
  overwrite(scheme ? scheme + 3 : url);
}

}  // namespace

bool is_secret_variable(std::string_view name, std::string_view value) {
  for (std::string_view part : {"SECRET", "TOKEN", "PASSWORD", "ACCESS_KEY"}) {
    if (name.find(part) != std::string_view::npos) return true;
  }
  return hide_secrets(value) != value;
}

void hide_environment() {
  for (char** variable = environ; variable && *variable; variable++) {
    char* equals = strchr(*variable, '=');
    if (!equals) continue;
    const std::string_view name(*variable, static_cast<size_t>(equals - *variable));
    if (!is_secret_variable(name, equals + 1)) continue;
    char* elsewhere = strdup(*variable);
    if (!elsewhere) continue;  // without memory nothing goes on for long
    *variable = elsewhere;
    overwrite(equals + 1);
  }
}

void hide_arguments(int argc, char** argv) {
  for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
    char* equals = strchr(argv[i], '=');
    if (equals && is_url_option({argv[i], static_cast<size_t>(equals - argv[i])})) {
      hide_url(equals + 1);
    } else if (is_url_option(argv[i]) && i + 1 < argc) {
      hide_url(argv[++i]);
    }
  }
}

void refuse_inspection() {
  const struct rlimit none = {};
  (void)setrlimit(RLIMIT_CORE, &none);
  (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

}  // namespace wbshim
