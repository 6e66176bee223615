// A document of S3's or STS', element by element. Pure; survives hostile text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wbshim {

// Goes through a document and tells of each element's text when it ends. Attributes, comments and
// declarations are passed over.
class XmlReader {
 public:
  explicit XmlReader(std::string_view text) : left_(text) {}

  // Stops at the next end of an element. False: the document is over, or broken.
  bool next();

  std::string_view name() const { return name_; }
  std::string_view parent() const { return stack_.empty() ? std::string_view() : stack_.back(); }
  size_t depth() const { return stack_.size(); }
  std::string_view root() const { return root_; }
  std::string text() const;

 private:
  bool end_of(std::string_view name);
  bool skip_special();

  std::string_view left_;
  std::string_view text_;
  std::string_view name_;
  std::string_view root_;
  std::vector<std::string_view> stack_;
};

}  // namespace wbshim
