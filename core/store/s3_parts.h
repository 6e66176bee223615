// S3's multipart uploads, over the requests of s3_store.h.
#pragma once

#include "core/store/object_options.h"
#include "core/store/parts_store.h"
#include "core/store/s3_call.h"
#include "core/store/s3_place.h"

namespace wbshim {

class S3Parts final : public PartsStore {
 public:
  // place and objects outlive it. send: signs, sends and judges.
  S3Parts(const S3Place& place, const ObjectOptions& objects, S3Sender send)
      : place_(place), objects_(objects), send_(std::move(send)) {}

  void begin(const std::string& key, const ObjectMeta& meta, Done done) override;
  void put(const PartsUpload& upload, unsigned number, std::shared_ptr<const Body> body,
           Done done) override;
  void complete(const PartsUpload& upload, const std::vector<std::string>& etags, uint64_t dated_ms,
                Done done) override;
  void abort(const PartsUpload& upload, Done done) override;
  void copy_onto_itself(const std::string& key, const ObjectMeta& meta, uint64_t dated_ms,
                        Done done) override;
  void list_parts(const PartsUpload& upload, std::function<void(StoredParts)> done) override;
  void list_uploads(std::function<void(OpenUploads)> done) override;

 private:
  void more_parts(const PartsUpload& upload, const std::string& after,
                  const std::shared_ptr<StoredParts>& found, std::function<void(StoredParts)> done);
  void more_uploads(const std::string& after_key, const std::string& after_id,
                    const std::shared_ptr<OpenUploads>& found,
                    std::function<void(OpenUploads)> done);

  const S3Place& place_;
  const ObjectOptions& objects_;
  S3Sender send_;
};

}  // namespace wbshim
