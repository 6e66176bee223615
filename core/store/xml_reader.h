// The little of XML that S3's answers need. Survives hostile text; attributes, comments and
// declarations are passed over. No allocation but for text().
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wbshim {

// Goes through a document and tells of each element's text when it ends. The text it was given must
// outlive it.
class XmlReader {
 public:
  explicit XmlReader(std::string_view document) : left_(document) {}

  // Stops at the next end of an element. False: the document is over, or broken.
  bool next();

  std::string_view name() const { return name_; }
  std::string_view parent() const { return stack_.empty() ? std::string_view() : stack_.back(); }
  size_t depth() const { return stack_.size(); }
  std::string_view root() const { return root_; }
  // Of an element without others in it; its entities resolved.
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

// What may stand in an element: the five characters that XML gives a meaning to are escaped.
std::string xml_escaped(std::string_view text);

// %XX, and '+' for a blank: names in listings with EncodingType url.
std::string url_decoded(std::string_view text);

// An ETag without its quotes.
std::string unquoted(std::string_view etag);

}  // namespace wbshim
