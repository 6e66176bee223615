// Operations that calls.py compares on a bare directory and under the prefix: each calls one function of
// libc, found by its name at run time, and says as text everything that a program can see of the
// outcome.
#pragma once

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <functional>
#include <string>
#include <vector>

namespace calls {

// Where the fixture is: the directory under test, a directory beside it, what both lie in.
struct Places {
  std::string base, root, outside;
};
extern Places places;

// The argument of an operation. The path may be null; dirfd is AT_FDCWD for operations without one.
struct Argument {
  int dirfd;
  const char* path;
};

using Run = std::function<std::string(const Argument&)>;

struct Operation {
  std::string name;  // of the function, then ":" and the variant
  char kind;         // 'p': takes a path; 'a': a directory's descriptor too
  Run run;
};

class Table {
 public:
  void path(const std::string& name, Run run) { all_.push_back({name, 'p', std::move(run)}); }
  void at(const std::string& name, Run run) { all_.push_back({name, 'a', std::move(run)}); }
  const std::vector<Operation>& all() const { return all_; }

 private:
  std::vector<Operation> all_;
};

// The function of that name, by the order in which the loader finds it for everybody.
template <typename Function>
Function* libc(const std::string& name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name.c_str()));
}

// A number as it is; -1 with errno's name.
std::string status(long result);
// What a descriptor is open on: name, status, content. It is written to if it can be, and closed.
std::string opened(int fd);
std::string opened(FILE* stream, const std::string& close);
std::string describe(const struct stat& st);
std::string text(const char* found);  // null too
std::string escaped(const std::string& bytes);
// Of a link in /proc/self: cwd, fd/N.
std::string process_link(const std::string& name);

// What `body` says, from a child process: for what cannot be undone.
std::string in_child(const std::function<std::string()>& body);
// What the child writes to descriptor 1 and how it ends.
std::string output_of(const std::function<void()>& body);
std::string ended(int wait_status);

void add_opens(Table* table);
void add_looks(Table* table);
void add_directories(Table* table);
void add_walks(Table* table);
void add_names(Table* table);
void add_changes(Table* table);
void add_temporary(Table* table);
void add_descriptors(Table* table);
void add_programs(Table* table);
void add_sockets(Table* table);
void add_writes(Table* table);
void add_others(Table* table);
void add_system_calls(Table* table);

}  // namespace calls
