// WBSHIM_STORE_URL to a Store: the only place that reads the process's environment and clock.
#include <chrono>
#include <cstdlib>

#include "core/store/file_store.h"
#include "core/store/s3_store.h"
#include "core/util/display.h"

namespace wbshim {
namespace {

constexpr std::string_view kFile = "file://";
constexpr std::string_view kS3 = "s3://";

bool begins_with(const std::string& text, std::string_view head) {
  return text.compare(0, head.size(), head) == 0;
}

uint64_t wall_clock_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

Result<AwsSettings> settings_of_process() {
  return load_aws_settings([](const char* name) -> const char* { return getenv(name); });
}

Result<std::unique_ptr<Store>> open_file(const std::string& url) {
  std::string directory = url.substr(kFile.size());
  if (directory.empty() || directory[0] != '/') {
    return Error{"WBSHIM_STORE_URL '" + printable(hide_secrets(url)) +
                 "' needs an absolute path after file://, as in file:///var/objects"};
  }
  while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
  return make_file_store(directory);
}

Result<std::unique_ptr<Store>> open_s3(const StoreOptions& options) {
  auto aws = settings_of_process();
  if (!aws) return aws.error();
  auto place = make_s3_place(options.url, aws.value().endpoint, aws.value().region,
                             options.addressing, {aws.value().dual_stack, aws.value().fips});
  if (!place) return place.error();
  HttpOptions http_options;
  http_options.max_connections = options.max_connections;
  http_options.ca_file = aws.value().ca_file;
  http_options.bytes_per_second = options.bytes_per_second;
  http_options.ignore_proxy = place.value().loopback;
  auto http = make_http(http_options);
  if (!http) return http.error();
  S3Setup setup;
  setup.place = std::move(place.value());
  setup.aws = std::move(aws.value());
  setup.http = std::move(http.value());
  setup.now_ms = wall_clock_ms;
  setup.reload = settings_of_process;
  setup.checksum = parse_checksum_mode(options.checksum);
  setup.objects = options.objects;
  setup.request_payer = options.request_payer;
  return make_s3_store(std::move(setup));
}

}  // namespace

Result<std::unique_ptr<Store>> open_store(const StoreOptions& options) {
  if (begins_with(options.url, kFile)) return open_file(options.url);
  if (begins_with(options.url, kS3)) return open_s3(options);
  return Error{"WBSHIM_STORE_URL '" + printable(hide_secrets(options.url)) +
               "' is neither s3://bucket/prefix nor file:///directory"};
}

}  // namespace wbshim
