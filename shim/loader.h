// The dynamic loader, started as a program ("ld.so [OPTION]… PROGRAM [ARGUMENT]…", which is what ldd does):
// it opens what its arguments name by itself, and nobody translates them for it.
#pragma once

namespace wbshim {

class LoaderArguments {
 public:
  // path: of the program that is about to be started, for the kernel.
  LoaderArguments(const char* path, char* const* argv);
  ~LoaderArguments();
  LoaderArguments(const LoaderArguments&) = delete;
  LoaderArguments& operator=(const LoaderArguments&) = delete;

  // What to start it with: argv, or a translated copy of it.
  char* const* get() const { return argv_; }
  // The program that the loader will start, for the kernel; null: `path` is no loader, or is told none.
  const char* program() const { return program_; }

 private:
  void translate(unsigned count, unsigned program);

  char* const* argv_;
  const char* program_ = nullptr;
  void* pages_ = nullptr;
  unsigned long size_ = 0;
};

}  // namespace wbshim
