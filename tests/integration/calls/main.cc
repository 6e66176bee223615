// calls --list: the operations, "kind name" each.
// calls BASE ROOT OUTSIDE CASES [wait]: runs every case of a file in a process of its own on a fresh fixture and prints a line per
// step, then "tree" and what became of it. With "wait": after a case that touched the tree "?" is printed and a byte read first,
// so that somebody can look.
//
// A case: lines "operation<TAB>cwd<TAB>dirfd<TAB>path", then ".". cwd: "-" or a path; dirfd: "-", "bad", or "d" or "p" (O_PATH)
// or "f" and a path; path: "=" and its bytes, or "!" for null. Bytes as %41.
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <map>

#include "call.h"
#include "fixture.h"

namespace {

using calls::Argument;

struct Step {
  const calls::Operation* operation;
  std::string cwd, dirfd, path;
};

std::string decoded(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); i++) {
    if (text[i] == '%') {
      out += static_cast<char>(strtol(text.substr(i + 1, 2).c_str(), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

void print(const std::string& line) {
  const std::string all = line + "\n";
  for (size_t done = 0; done < all.size();) {
    const ssize_t n = write(1, all.data() + done, all.size() - done);
    if (n <= 0) _exit(96);
    done += static_cast<size_t>(n);
  }
}

int directory(const std::string& how) {
  if (how == "-") return AT_FDCWD;
  if (how == "bad") return 77;
  const int flags = how[0] == 'p' ? O_PATH : how[0] == 'd' ? O_DIRECTORY : O_RDONLY;
  return open(how.c_str() + 1, flags);
}

void run(const std::vector<Step>& steps) {
  alarm(20);
  umask(022);
  for (const Step& step : steps) {
    if (step.cwd != "-" && chdir(step.cwd.c_str()) != 0) {
      print("no such working directory");
      continue;
    }
    const int dirfd = directory(step.dirfd);
    const std::string path = step.path.substr(1);
    print(step.operation->run(Argument{dirfd, step.path[0] == '!' ? nullptr : path.c_str()}));
    if (dirfd >= 0) close(dirfd);
  }
}

void one_case(const std::vector<Step>& steps, calls::Fixture* fixture, bool wait) {
  const pid_t child = fork();
  if (child == 0) {
    run(steps);
    _exit(0);
  }
  int how = 0;
  waitpid(child, &how, 0);
  if (how != 0) print(calls::ended(how));
  char byte = 0;
  if (wait && fixture->differs()) {
    print("?");
    if (read(0, &byte, 1) != 1) _exit(95);
  }
  print("tree " + fixture->judge_and_mend());
}

// Nobody's mounts are at stake.
void give_up_administration() {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {};
  if (syscall(SYS_capget, &header, data) != 0) return;
  for (auto* set : {&data[0].effective, &data[0].permitted}) *set &= ~(1U << CAP_SYS_ADMIN);
  syscall(SYS_capset, &header, data);
}

calls::Table operations() {
  calls::Table table;
  for (auto* add : {calls::add_opens, calls::add_looks, calls::add_directories, calls::add_walks,
                    calls::add_names, calls::add_changes, calls::add_temporary,
                    calls::add_descriptors, calls::add_programs, calls::add_sockets,
                    calls::add_others, calls::add_system_calls, calls::add_writes})
    add(&table);
  return table;
}

Step parsed(const std::string& line, const std::map<std::string, const calls::Operation*>& known) {
  std::vector<std::string> parts;
  for (size_t from = 0; parts.size() < 4;) {
    const size_t tab = std::min(line.find('\t', from), line.size());
    parts.push_back(decoded(line.substr(from, tab - from)));
    from = std::min(tab + 1, line.size());
  }
  return {known.at(parts[0]), parts[1], parts[2], parts[3]};
}

}  // namespace

int main(int argc, char** argv) {
  const calls::Table table = operations();
  if (argc == 2 && strcmp(argv[1], "--list") == 0) {
    for (const auto& operation : table.all())
      std::cout << operation.kind << " " << operation.name << "\n";
    return 0;
  }
  if (argc < 5) return 2;
  calls::places = {argv[1], argv[2], argv[3]};
  give_up_administration();
  signal(SIGPIPE, SIG_IGN);
  std::map<std::string, const calls::Operation*> known;
  for (const auto& operation : table.all()) known[operation.name] = &operation;
  calls::Fixture fixture;
  fixture.build();
  std::ifstream cases(argv[4]);
  std::vector<Step> steps;
  for (std::string line; std::getline(cases, line);) {
    if (line != ".") {
      steps.push_back(parsed(line, known));
      continue;
    }
    one_case(steps, &fixture, argc > 5);
    steps.clear();
  }
  return 0;
}
