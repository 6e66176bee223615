// WBSHIM_STORE_URL to a Store: with aws_world.cc the only place that reads the process's environment
// and clock.
#include <atomic>
#include <memory>

#include "core/store/credential_keeper.h"
#include "core/store/file_store.h"
#include "core/store/s3_store.h"
#include "core/util/clock.h"
#include "core/util/display.h"

namespace wbshim {
namespace {

constexpr std::string_view kFile = "file://";
constexpr std::string_view kS3 = "s3://";

bool begins_with(const std::string& text, std::string_view head) {
  return text.compare(0, head.size(), head) == 0;
}

uint64_t wall_clock_ms() {
  return SystemClock().wall_ms();
}

// On the keeper's thread.
Result<AwsKeys> renewed_keys(const std::atomic<bool>& stopped) {
  auto found = load_aws_settings(aws_world_of_process([&stopped] { return stopped.load(); }));
  if (!found) return found.error();
  return static_cast<AwsKeys&>(found.value());
}

// Keys in variables and files are read again when they were refused, at once; others are renewed in
// the background.
void keep_keys(S3Setup& setup) {
  const auto keeper = std::make_shared<CredentialKeeper>(setup.aws, renewed_keys, wall_clock_ms);
  setup.fresh = [keeper] { return keeper->fresh(); };
  setup.reload = [keeper]() -> Result<AwsSettings> {
    auto given = load_given_keys(aws_world_of_process().environment);
    if (!given) return given.error();
    if (given.value()) return std::move(*given.value());
    keeper->refused();
    return Error{"new keys are looked for"};
  };
}

Result<AwsSettings> aws_settings(bool anonymous) {
  const AwsWorld world = aws_world_of_process();
  if (!anonymous) return load_aws_settings(world);
  auto settings = load_aws_places(world.environment);
  if (settings) settings.value().id_from = settings.value().secret_from = "WBSHIM_S3_ANONYMOUS";
  return settings;
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
  auto aws = aws_settings(options.anonymous);
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
  if (!options.anonymous) keep_keys(setup);
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
