#include "core/store/crypto.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace wbshim {
namespace {

using Digest = std::array<unsigned char, EVP_MAX_MD_SIZE>;

// OpenSSL wants unsigned bytes.
const unsigned char* bytes_of(std::string_view text) {
  return static_cast<const unsigned char*>(static_cast<const void*>(text.data()));
}

std::string string_of(const Digest& digest, size_t size) {
  return {static_cast<const char*>(static_cast<const void*>(digest.data())), size};
}

void must(bool done, const char* what) {
  if (done) return;
  (void)fprintf(stderr, "wbshim: OpenSSL refuses to compute %s; is it a restricted (FIPS) build?\n",
                what);
  abort();
}

std::string digest_once(const EVP_MD* kind, std::string_view bytes, const char* what) {
  Digest out;
  unsigned size = 0;
  must(EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, kind, nullptr) == 1, what);
  return string_of(out, size);
}

}  // namespace

struct Sha256::State {
  State() { must(context && EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1, "SHA-256"); }
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  EVP_MD_CTX* context = EVP_MD_CTX_new();
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::add(std::string_view bytes) {
  must(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1, "SHA-256");
}

std::string Sha256::hex() {
  Digest out;
  unsigned size = 0;
  must(EVP_DigestFinal_ex(state_->context, out.data(), &size) == 1, "SHA-256");
  return to_hex(string_of(out, size));
}

std::string sha256_hex(std::string_view bytes) {
  return to_hex(digest_once(EVP_sha256(), bytes, "SHA-256"));
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  Digest out;
  unsigned size = 0;
  must(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(bytes), bytes.size(),
            out.data(), &size) != nullptr,
       "HMAC");
  return string_of(out, size);
}

std::string md5_hex(std::string_view bytes) {
  return to_hex(digest_once(EVP_md5(), bytes, "MD5"));
}

std::string md5_base64(std::string_view bytes) {
  return base64(digest_once(EVP_md5(), bytes, "MD5"));
}

std::string base64(std::string_view raw) {
  std::string out(raw.size() / 3 * 4 + 5, '\0');  // four characters for three bytes, and a NUL
  auto* to = static_cast<unsigned char*>(static_cast<void*>(out.data()));
  const int size = EVP_EncodeBlock(to, bytes_of(raw), static_cast<int>(raw.size()));
  out.resize(static_cast<size_t>(size));
  return out;
}

std::string to_hex(std::string_view raw) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(raw.size() * 2);
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

}  // namespace wbshim
