// Signs what it reads, for sigv4_oracle.py. A request is lines of "<field> <value>", strings in
// hex:
//   method path query-name query-value header-name header-value payload id secret token region
//   time_ms
// (query and header lines repeat, a name line opens a pair) and ends with an empty line. "path" is
// the key with its leading '/', not encoded. Answer, one line a request: the encoded path, the
// query as sent and the authorization header, separated by tabs.
#include <cstdlib>
#include <iostream>
#include <string>

#include "core/store/sigv4.h"

namespace {

using namespace wbshim;

std::string unhex(const std::string& digits) {
  std::string out;
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    out += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  }
  return out;
}

struct Job {
  sigv4::Request request;
  sigv4::Keys keys;
  std::string region;
  uint64_t time_ms = 0;
};

void take(Job& job, const std::string& field, const std::string& value) {
  if (field == "method") job.request.method = value;
  if (field == "path") job.request.path = sigv4::encode_path(value);
  if (field == "query-name") job.request.query.emplace_back(value, "");
  if (field == "query-value") job.request.query.back().second = value;
  if (field == "header-name") job.request.headers.emplace_back(value, "");
  if (field == "header-value") job.request.headers.back().second = value;
  if (field == "payload") job.request.payload_hash = value;
  if (field == "id") job.keys.id = value;
  if (field == "secret") job.keys.secret = value;
  if (field == "token") job.keys.token = value;
  if (field == "region") job.region = value;
  if (field == "time_ms") job.time_ms = std::stoull(value);
}

std::string answer(Job& job) {
  sigv4::Signer signer(job.keys, job.region);
  signer.sign(job.request, job.time_ms);
  return job.request.path + "\t" + sigv4::canonical_query(job.request.query) + "\t" +
         job.request.headers.back().second;
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  Job job;
  for (std::string line; std::getline(std::cin, line);) {
    if (line.empty()) {
      std::cout << answer(job) << "\n";
      job = {};
      continue;
    }
    const size_t blank = line.find(' ');
    take(job, line.substr(0, blank), unhex(line.substr(blank + 1)));
  }
  return 0;
}
