#include "core/store/store_options.h"

namespace wbshim {

StoreOptions store_options(const Config& config, unsigned max_connections) {
  StoreOptions out;
  out.url = config.store_url();
  out.addressing = config.s3_addressing();
  out.checksum = config.s3_checksum();
  out.max_connections = max_connections;
  out.bytes_per_second = config.upload_limit();
  out.objects = object_options(config);
  out.anonymous = config.s3_anonymous();
  out.request_payer = config.text(Option::S3_REQUEST_PAYER) == "1";
  return out;
}

}  // namespace wbshim
