// What the scripts are told about this client and its volume, and the names of the volume's keys
// (grammar: core/base/keys.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace wbshim {

struct Volume {
  std::string name;
  std::string client;    // 16 hex digits, kept in the staging directory
  std::string instance;  // 16 hex digits, fresh with each start of the uploader
  std::string boot;      // 8 hex digits of the kernel's boot_id
  uint64_t delay_ms = 0;
  uint64_t deadline_ms = 0;

  std::string key(std::string_view what) const {
    return "wbshim:{" + name + "}:" + std::string(what);
  }
  std::string dir(std::string_view path) const { return key("dir:") + std::string(path); }
  std::string due() const { return key("due:") + client; }
  std::string dead() const { return key("dead:") + client; }
  std::string client_row() const { return key("client:") + client; }
  std::string del() const { return key("del"); }
  std::string object() const { return key("object"); }
  std::string settle() const { return key("settle"); }
  std::string parts() const { return key("parts"); }
  std::string meta() const { return key("meta"); }
};

// "a/b/c" is "c" in "a/b"; "c" is "c" in "".
std::string parent_of(std::string_view path);
std::string name_of(std::string_view path);

// Whether it is a name that something in the tree can have: relative, no empty, "." or ".." part, no
// NUL, not too long. What stands in Redis is not ours alone to write.
bool is_tree_path(std::string_view path);

// A directory's object key ends with '/'.
inline std::string object_key(std::string_view path, char type) {
  return type == 'd' ? std::string(path) + "/" : std::string(path);
}
// The path an object key stands for.
inline std::string path_of_key(std::string_view key) {
  return std::string(!key.empty() && key.back() == '/' ? key.substr(0, key.size() - 1) : key);
}

}  // namespace wbshim
