// Are the bytes in the store the bytes that were read? The SHA-256 that every request is signed with
// is checked by servers that do it right, before they store anything. Two more proofs, of what they
// did store (WBSHIM_S3_CHECKSUM):
//
//   x-amz-checksum-crc32c   sent with a PUT; AWS refuses the object when it differs, keeps it beside
//                           the object, and says it again in its answer, where it is compared.
//                           auto: to AWS, and to servers that answered the first PUT with it; others
//                           (Ceph 16, Swift) pass over it.
//   ETag                    of an object that is one plain PUT: the MD5 of what was stored. Compared
//                           when it looks like one and the object is not encrypted with a key of
//                           KMS or the customer's, which changes its meaning.
#pragma once

#include <string>
#include <string_view>

#include "core/store/http.h"
#include "core/store/store.h"

namespace wbshim {

inline constexpr char kChecksumHeader[] = "x-amz-checksum-crc32c";

enum class ChecksumMode { Auto, None, Crc32c };
ChecksumMode parse_checksum_mode(std::string_view text);  // Auto when it is none of the words

class Checksums {
 public:
  // aws: the server is known to know it.
  Checksums(ChecksumMode mode, bool aws);

  // Whether the next PUT carries the header, and what it says.
  bool sends() const { return sends_; }
  static std::string header_of(const Body* body);  // null: no bytes

  // What the answer to a PUT that carried it teaches. True: this server refuses requests that have
  // it, and it will not be sent again.
  bool learn(const HttpAnswer& answer);

  // Why what was stored is not what was sent; empty: nothing speaks against it. body: null for no
  // bytes.
  struct Mismatch {
    std::string error_class;
    std::string why;
  };
  Mismatch compare(const Body* body, const HttpAnswer& answer) const;

 private:
  ChecksumMode mode_;
  bool sends_;
  bool learning_;
};

}  // namespace wbshim
