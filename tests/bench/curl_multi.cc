// curl_multi s3://BUCKET[/PREFIX] DIRECTORY CONNECTIONS: puts every file below DIRECTORY, over so
// many connections, and prints how many were stored. The least that a drain can cost: a file is
// read, hashed, signed and sent; nothing is recorded, compared or tried again. Endpoint and keys
// come from AWS_ variables. It does not go by way of core/store/http.h, which is measured with it.
#include <curl/curl.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/store/credentials.h"
#include "core/store/crypto.h"
#include "core/store/s3_place.h"
#include "core/store/sigv4.h"
#include "core/util/clock.h"
#include "core/util/fd.h"
#include "tests/bench/clock.h"

namespace {

using namespace wbshim;
using bench::die;

struct Transfer {
  CURL* easy = curl_easy_init();
  curl_slist* headers = nullptr;
  std::string body;
  size_t sent = 0;

  Transfer() = default;
  ~Transfer() {
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
};

size_t give_body(char* to, size_t, size_t room, void* user) {
  auto& t = *static_cast<Transfer*>(user);
  const size_t n = t.body.copy(to, room, t.sent);
  t.sent += n;
  return n;
}

size_t drop_answer(char*, size_t, size_t size, void*) {
  return size;
}

std::string read_whole(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat st {};
  if (!fd || fstat(fd.get(), &st) != 0) die(path.c_str());
  std::string bytes(static_cast<size_t>(st.st_size), '\0');
  if (read(fd.get(), bytes.data(), bytes.size()) != st.st_size) die(path.c_str());
  return bytes;
}

class Loop {
 public:
  Loop(S3Place place, const AwsSettings& aws, long connections)
      : place_(std::move(place)), signer_(aws.keys, aws.region), multi_(curl_multi_init()) {
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, connections);
    curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, connections);
    for (long i = 0; i < connections; i++) transfers_.push_back(std::make_unique<Transfer>());
  }
  ~Loop() { curl_multi_cleanup(multi_); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // How many of the files, names below the directory, were answered 200.
  size_t put(const std::string& directory, const std::vector<std::string>& files);

 private:
  void start(Transfer& t, const std::string& path, const std::string& key);
  void sign(Transfer& t, const std::string& wire_path);

  S3Place place_;
  sigv4::Signer signer_;
  CURLM* multi_;
  std::vector<std::unique_ptr<Transfer>> transfers_;
};

void Loop::sign(Transfer& t, const std::string& wire_path) {
  sigv4::Request request;
  request.method = "PUT";
  request.path = wire_path;
  request.headers = {{"host", place_.host}};
  request.payload_hash = sha256_hex(t.body);
  signer_.sign(request, SystemClock().wall_ms());
  curl_slist_free_all(t.headers);
  t.headers = curl_slist_append(nullptr, "Expect:");
  for (const auto& [name, value] : request.headers) {
    std::string line = name;
    line.append(": ").append(value);
    t.headers = curl_slist_append(t.headers, line.c_str());
  }
}

void Loop::start(Transfer& t, const std::string& path, const std::string& key) {
  t.body = read_whole(path);
  t.sent = 0;
  const std::string wire_path = place_.path_of(place_.object_key(key));
  sign(t, wire_path);
  curl_easy_reset(t.easy);
  curl_easy_setopt(t.easy, CURLOPT_URL, place_.url_of(wire_path).c_str());
  curl_easy_setopt(t.easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(t.easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(t.easy, CURLOPT_PROXY, "");
  curl_easy_setopt(t.easy, CURLOPT_TIMEOUT, 60L);
  curl_easy_setopt(t.easy, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(t.easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(t.body.size()));
  curl_easy_setopt(t.easy, CURLOPT_READFUNCTION, give_body);
  curl_easy_setopt(t.easy, CURLOPT_READDATA, &t);
  curl_easy_setopt(t.easy, CURLOPT_WRITEFUNCTION, drop_answer);
  curl_easy_setopt(t.easy, CURLOPT_HTTPHEADER, t.headers);
  curl_easy_setopt(t.easy, CURLOPT_PRIVATE, &t);
  curl_multi_add_handle(multi_, t.easy);
}

size_t Loop::put(const std::string& directory, const std::vector<std::string>& files) {
  size_t next = 0, stored = 0, running = 0;
  const auto feed = [&](Transfer& t) {
    if (next == files.size()) return;
    start(t, directory + "/" + files[next], files[next]);
    next++;
    running++;
  };
  for (const auto& t : transfers_) feed(*t);
  while (running > 0) {
    int left = 0;
    curl_multi_perform(multi_, &left);
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      Transfer* t = nullptr;
      long status = 0;
      const bool whole = message->data.result == CURLE_OK;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
      curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
      curl_multi_remove_handle(multi_, t->easy);
      stored += whole && status == 200 ? 1 : 0;
      running--;
      feed(*t);
    }
    curl_multi_poll(multi_, nullptr, 0, 1000, nullptr);
  }
  return stored;
}

std::vector<std::string> files_below(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file())
      names.push_back(entry.path().string().substr(directory.size() + 1));
  }
  return names;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: bench_curl_multi s3://BUCKET[/PREFIX] DIRECTORY CONNECTIONS\n");
    return 2;
  }
  const auto aws = load_aws_settings(aws_world_of_process());
  if (!aws) {
    fprintf(stderr, "%s\n", aws.message().c_str());
    return 2;
  }
  const auto place = make_s3_place(argv[1], aws.value().endpoint, aws.value().region, "path");
  if (!place) {
    fprintf(stderr, "%s\n", place.message().c_str());
    return 2;
  }
  curl_global_init(CURL_GLOBAL_DEFAULT);
  const auto files = files_below(argv[2]);
  const size_t stored =
      Loop(place.value(), aws.value(), strtol(argv[3], nullptr, 10)).put(argv[2], files);
  printf("%zu\n", stored);
  return stored == files.size() ? 0 : 1;
}
