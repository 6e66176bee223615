#include "core/store/s3_error.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace wbshim {
namespace {

using enum StoreOutcome;

struct Row {
  long status;       // 0: any
  const char* code;  // "": any
  StoreOutcome outcome;
  const char* mend;
};

constexpr char kAgain[] = "it will be tried again";
constexpr char kSlower[] = "the server asks for fewer requests; WBSHIM_MAX_UPLOADS can be lowered";
constexpr char kDamaged[] = "the bytes were damaged on the way; it will be tried again";
constexpr char kSecret[] =
    "the secret key does not match access key id '{id}'; correct {secret_from} or {id_from}";
constexpr char kKeyId[] =
    "the server does not know access key id '{id}' ({id_from}); correct it and its secret";
constexpr char kToken[] =
    "the session token that belongs to '{id}' ({id_from}) is no longer good; renew it";
constexpr char kSkew[] =
    "the clocks of this machine or of Redis and of the server differ by more than 15 minutes; set "
    "them";
constexpr char kRegion[] = "the bucket is in another region than '{region}'; set AWS_REGION";
constexpr char kDenied[] =
    "access key id '{id}' ({id_from}) may not do this; allow s3:PutObject, s3:GetObject and "
    "s3:DeleteObject on the bucket and prefix";
constexpr char kBucket[] =
    "there is no bucket '{bucket}' at {endpoint}; create it or set WBSHIM_STORE_URL";
constexpr char kKmsKey[] = "correct WBSHIM_S3_SSE_KMS_KEY_ID, or enable the key";
constexpr char kTooLong[] = "a key with its prefix has at most 1024 bytes; use shorter names";
constexpr char kTooLarge[] = "the server takes no object of that size";
constexpr char kUnsupported[] = "the server does not support this request";
constexpr char kEndpoint[] = "is {endpoint} ({endpoint_from}) an S3 server?";
constexpr char kRefused[] = "see the server's own logs for the reason";

// The first row that fits counts: codes first, then bare statuses (an answer to HEAD has no code).
constexpr Row kRows[] = {
    // Refused before acting, because there were too many requests.
    {0, "SlowDown", TryLater, kSlower},
    {0, "SlowDownRead", TryLater, kSlower},
    {0, "SlowDownWrite", TryLater, kSlower},
    {0, "Throttling", TryLater, kSlower},
    {0, "ThrottlingException", TryLater, kSlower},
    {0, "ThrottledException", TryLater, kSlower},
    {0, "RequestThrottled", TryLater, kSlower},
    {0, "RequestThrottledException", TryLater, kSlower},
    {0, "RequestLimitExceeded", TryLater, kSlower},
    {0, "TooManyRequests", TryLater, kSlower},
    {0, "TooManyRequestsException", TryLater, kSlower},
    {0, "BandwidthLimitExceeded", TryLater, kSlower},
    // The server says that it did not get the whole body.
    {0, "RequestTimeout", TryLater, kAgain},
    {0, "IncompleteBody", TryLater, kDamaged},
    // It got other bytes than were hashed, and stored nothing.
    {0, "BadDigest", TryLater, kDamaged},
    {0, "XAmzContentSHA256Mismatch", TryLater, kDamaged},
    {0, "XAmzContentChecksumMismatch", TryLater, kDamaged},
    // Somebody else was writing the same key; this request lost.
    {0, "OperationAborted", TryLater, kAgain},
    {0, "ConditionalRequestConflict", TryLater, kAgain},
    // A claim that waited too long is repeated with a new time; wrong clocks need a person, but no
    // file is at fault.
    {0, "RequestTimeTooSkewed", TryLater, kSkew},
    {0, "RequestExpired", TryLater, kSkew},
    // The credentials are wrong or were withdrawn.
    {0, "SignatureDoesNotMatch", Credentials, kSecret},
    {0, "InvalidAccessKeyId", Credentials, kKeyId},
    {0, "AuthFailure", Credentials, kKeyId},
    {0, "UnrecognizedClientException", Credentials, kKeyId},
    {0, "NotSignedUp", Credentials, kKeyId},
    {0, "ExpiredToken", Credentials, kToken},
    {0, "ExpiredTokenException", Credentials, kToken},
    {0, "InvalidToken", Credentials, kToken},
    {0, "InvalidTokenId", Credentials, kToken},
    {0, "TokenRefreshRequired", Credentials, kToken},
    {0, "MissingSecurityHeader", Credentials, kSecret},
    {0, "InvalidSecurity", Credentials, kSecret},
    // They were used with the wrong region. A new bucket's 307 passes as its name spreads.
    {0, "AuthorizationHeaderMalformed", Credentials, kRegion},
    {0, "AuthorizationQueryParametersError", Credentials, kRegion},
    {0, "PermanentRedirect", Credentials, kRegion},
    {0, "IllegalLocationConstraintException", Credentials, kRegion},
    {0, "InvalidRegion", Credentials, kRegion},
    {0, "TemporaryRedirect", TryLater, kAgain},
    // A person has to change a policy, a quota, the configuration or the name.
    {0, "AccessDenied", Refused, kDenied},
    {0, "AllAccessDisabled", Blocked, kDenied},
    {0, "AccountProblem", Blocked, kDenied},
    {0, "NoSuchBucket", Blocked, kBucket},
    {0, "InvalidBucketName", Blocked, kBucket},
    {0, "InvalidStorageClass", Blocked, "correct WBSHIM_S3_STORAGE_CLASS"},
    {0, "InvalidTag", Blocked, "correct WBSHIM_S3_TAGS"},
    {0, "AccessControlListNotSupported", Blocked,
     "leave WBSHIM_S3_ACL out; the bucket allows no ACLs"},
    {0, "InvalidEncryptionAlgorithmError", Blocked, "correct WBSHIM_S3_SSE"},
    {0, "KMS.NotFoundException", Blocked, kKmsKey},
    {0, "KMS.DisabledException", Blocked, kKmsKey},
    {0, "KMS.KMSInvalidStateException", Blocked, kKmsKey},
    {0, "KeyTooLongError", Refused, kTooLong},
    {0, "KeyTooLong", Refused, kTooLong},
    {0, "EntityTooLarge", Refused, kTooLarge},
    {0, "MetadataTooLarge", Refused, "the server allows less metadata than five short headers"},
    {0, "QuotaExceeded", Blocked,
     "the bucket's or user's quota is full; raise it or delete objects"},
    {0, "NotImplemented", Refused, kUnsupported},
    {0, "MethodNotAllowed", Refused, kUnsupported},
    {0, "MissingContentLength", Refused, kUnsupported},
    {0, "NoSuchKey", Refused, kRefused},
    {0, "InvalidRequest", Refused, kRefused},
    {0, "InvalidArgument", Refused, kRefused},
    {0, "InvalidURI", Refused, kRefused},
    {0, "PreconditionFailed", Refused, kRefused},
    // Statuses whose code was missing or unknown.
    {301, "", Credentials, kRegion},
    {307, "", TryLater, kAgain},
    {308, "", Credentials, kRegion},
    {401, "", Credentials, kSecret},
    {403, "", Refused, kDenied},
    {404, "", Refused, kEndpoint},
    {405, "", Refused, kUnsupported},
    {407, "", TryLater, "the proxy wants a login of its own (https_proxy)"},
    {408, "", TryLater, kAgain},
    {409, "", TryLater, kAgain},
    {411, "", Refused, kUnsupported},
    {413, "", Refused, kTooLarge},
    {414, "", Refused, kTooLong},
    {423, "", TryLater, kAgain},
    {425, "", TryLater, kAgain},
    {429, "", TryLater, kSlower},
    {501, "", Refused, kUnsupported},
    {507, "", TryLater, "the server's disks are full"},
    // 500, 502, 503, 504 and their like: a part of the server failed, perhaps after another had
    // stored the object.
};
constexpr S3Verdict kServerFailed = {.outcome = Unknown, .mend = kAgain};
constexpr S3Verdict kOtherRefusal = {.outcome = Refused, .mend = kRefused};
constexpr S3Verdict kNoS3 = {.outcome = Refused, .mend = kEndpoint};

constexpr size_t kMaxPart = 300;

void append_utf8(std::string& out, unsigned long code) {
  if (code < 0x20 || code > 0x7e) {
    out += '?';  // error texts are English; anything else is not worth a decoder
  } else {
    out += static_cast<char>(code);
  }
}

// The XML entity at text[i] == '&'; returns the number of bytes it takes, 0 when it is none.
size_t take_entity(std::string_view text, size_t i, std::string& out) {
  constexpr std::pair<std::string_view, char> kNamed[] = {
      {"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}};
  for (const auto& [entity, c] : kNamed) {
    if (text.substr(i, entity.size()) == entity) {
      out += c;
      return entity.size();
    }
  }
  if (text.substr(i, 2) != "&#") return 0;
  const size_t end = text.find(';', i);
  if (end == std::string_view::npos || end - i > 10) return 0;
  const std::string digits(text.substr(i + 2, end - i - 2));
  const bool hex = !digits.empty() && (digits[0] == 'x' || digits[0] == 'X');
  append_utf8(out, strtoul(digits.c_str() + (hex ? 1 : 0), nullptr, hex ? 16 : 10));
  return end - i + 1;
}

std::string element(std::string_view body, std::string_view name) {
  const std::string open = "<" + std::string(name) + ">";
  const size_t start = body.find(open);
  if (start == std::string_view::npos) return {};
  const size_t from = start + open.size();
  const std::string_view text = body.substr(from, body.find('<', from) - from);
  std::string out;
  for (size_t i = 0; i < text.size() && out.size() < kMaxPart;) {
    const size_t entity = text[i] == '&' ? take_entity(text, i, out) : 0;
    if (entity > 0) {
      i += entity;
      continue;
    }
    const auto byte = static_cast<unsigned char>(text[i]);
    out += byte < 0x20 || byte == 0x7f ? ' ' : text[i];
    i++;
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  out.erase(0, std::min(out.find_first_not_of(' '), out.size()));
  return out;
}

bool label_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

}  // namespace

S3Error parse_s3_error(std::string_view body) {
  const size_t error = body.find("<Error>");
  if (error != std::string_view::npos) body.remove_prefix(error);
  S3Error out{element(body, "Code"), element(body, "Message"), element(body, "RequestId"),
              element(body, "Region")};
  if (out.code.size() > 64 || !std::all_of(out.code.begin(), out.code.end(), label_character)) {
    out.code.clear();
  }
  if (!std::all_of(out.region.begin(), out.region.end(), label_character)) out.region.clear();
  return out;
}

S3Verdict judge_s3_error(long status, std::string_view code, bool sent_whole) {
  S3Verdict verdict = status >= 500 ? kServerFailed : status >= 400 ? kOtherRefusal : kNoS3;
  for (const Row& row : kRows) {
    const bool fits = row.code[0] != '\0' ? code == row.code : row.status == status;
    if (!fits) continue;
    verdict.outcome = row.outcome;
    verdict.mend = row.mend;
    break;
  }
  verdict.throttled = verdict.mend == kSlower || status == 503;
  verdict.about_time =
      verdict.mend == kSkew || code == "SignatureDoesNotMatch" || code == "AuthFailure";
  // An answer to HEAD has no code.
  verdict.about_region =
      verdict.mend == kRegion || status == 307 || (status == 400 && code.empty());
  if (verdict.outcome == Unknown && !sent_whole) verdict.outcome = TryLater;
  return verdict;
}

}  // namespace wbshim
