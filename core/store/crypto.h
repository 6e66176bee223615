// Hashes, as values. The only place that knows OpenSSL. Everything here is pure and thread-safe; a
// hash that the library refuses to compute ends the program (nothing could be uploaded without it).
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace wbshim {

// A SHA-256 over pieces. hex() may be called once, at the end.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void add(std::string_view bytes);
  std::string hex();  // 64 lower-case digits

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::string_view bytes);
std::string hmac_sha256(std::string_view key, std::string_view bytes);  // 32 raw bytes
std::string md5_base64(std::string_view bytes);                         // for Content-MD5
std::string md5_hex(std::string_view bytes);                            // as in an ETag
std::string base64(std::string_view raw);
std::string to_hex(std::string_view raw);  // lower case

}  // namespace wbshim
