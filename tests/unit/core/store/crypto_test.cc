#include "core/store/crypto.h"

#include <doctest/doctest.h>

using namespace wbshim;

TEST_CASE("crypto: published values") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(md5_base64("") == "1B2M2Y8AsgTpgAmY7PhCfg==");
  CHECK(md5_base64("abc") == "kAFQmDzST7DWlj99KOF/cg==");
  // RFC 4231, test cases 1 and 2.
  CHECK(to_hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")) ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(to_hex(std::string("\x00\x7f\x80\xff", 4)) == "007f80ff");
}

TEST_CASE("crypto: pieces give the hash of the whole") {
  const std::string text(100'000, 'q');
  for (const size_t piece : {size_t{1}, size_t{63}, size_t{64}, size_t{65}, text.size()}) {
    Sha256 hash;
    for (size_t i = 0; i < text.size(); i += piece) {
      hash.add(std::string_view(text).substr(i, piece));
    }
    CHECK(hash.hex() == sha256_hex(text));
  }
}

TEST_CASE("crypto: a hash can be moved") {
  Sha256 a;
  a.add("ab");
  Sha256 b = std::move(a);
  b.add("c");
  CHECK(b.hex() == sha256_hex("abc"));
}
