// Whole-file reading and writing on a descriptor, interruptions and short counts included. 0 or an
// errno.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wbshim {

int write_all(int fd, std::string_view bytes);
// Appends what is left to read to *out; EFBIG when that is more than limit bytes.
int read_all(int fd, size_t limit, std::string* out);
// The target of the symbolic link `name` in directory `parent`.
int read_link(int parent, const char* name, std::string* out);
// The names in a directory, without "." and "..".
int list_directory(int directory, std::vector<std::string>* names);

}  // namespace wbshim
