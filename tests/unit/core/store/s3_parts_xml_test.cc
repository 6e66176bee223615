#include "core/store/s3_parts_xml.h"

#include <doctest/doctest.h>

#include "core/store/xml_reader.h"

using namespace wbshim;

TEST_CASE("parts: the id of an upload that has begun") {
  CHECK(parse_upload_id("<?xml version=\"1.0\"?>\n<InitiateMultipartUploadResult xmlns=\"x\">"
                        "<Bucket>b</Bucket><Key>k</Key><UploadId>2~a&amp;b</UploadId>"
                        "</InitiateMultipartUploadResult>") == "2~a&b");
  CHECK(parse_upload_id("<InitiateMultipartUploadResult><UploadId>a</UploadId>").empty());
  CHECK(parse_upload_id("<Other><UploadId>a</UploadId></Other>").empty());
  CHECK(parse_upload_id("").empty());
}

TEST_CASE("parts: the ETag of what was completed or copied; blanks come first from slow servers") {
  CHECK(parse_result_etag("   \n<CompleteMultipartUploadResult><ETag>&quot;e-3&quot;</ETag>"
                          "</CompleteMultipartUploadResult>") == "e-3");
  CHECK(parse_result_etag("<CopyObjectResult><LastModified>x</LastModified><ETag>\"e\"</ETag>"
                          "</CopyObjectResult>") == "e");
  CHECK(parse_result_etag("<Error><ETag>e</ETag></Error>").empty());
}

TEST_CASE("parts: pages of ListParts") {
  const auto page = parse_parts_page(
      "<ListPartsResult><PartNumberMarker>0</PartNumberMarker><Part><PartNumber>1</PartNumber>"
      "<ETag>&quot;a&quot;</ETag><Size>5242880</Size></Part><Part><PartNumber>3</PartNumber><ETag>b"
      "</ETag><Size>7</Size></Part><NextPartNumberMarker>3</NextPartNumberMarker>"
      "<IsTruncated>true</IsTruncated></ListPartsResult>");
  REQUIRE(page);
  REQUIRE(page->parts.size() == 2);
  CHECK(page->parts[0].number == 1);
  CHECK(page->parts[0].size == 5242880);
  CHECK(page->parts[0].etag == "a");
  CHECK(page->parts[1].number == 3);
  CHECK(page->next_part == "3");
  const auto last = parse_parts_page(
      "<ListPartsResult><NextPartNumberMarker>3</NextPartNumberMarker>"
      "<IsTruncated>false</IsTruncated></ListPartsResult>");
  REQUIRE(last);
  CHECK(last->next_part.empty());
  CHECK_FALSE(parse_parts_page("<ListPartsResult><Part>"));
  CHECK_FALSE(parse_parts_page("<ListBucketResult></ListBucketResult>"));
}

TEST_CASE("parts: pages of ListMultipartUploads, with encoded keys") {
  const auto page = parse_uploads_page(
      "<ListMultipartUploadsResult><EncodingType>url</EncodingType><NextKeyMarker>p%2Fx+y"
      "</NextKeyMarker><NextUploadIdMarker>2</NextUploadIdMarker><IsTruncated>true</IsTruncated>"
      "<Upload><Key>p%2Fa%2Bb</Key><UploadId>1</UploadId><Initiator><ID>Key</ID></Initiator>"
      "<Initiated>2013-05-24T00:00:00.000Z</Initiated></Upload></ListMultipartUploadsResult>");
  REQUIRE(page);
  REQUIRE(page->uploads.size() == 1);
  CHECK(page->uploads[0].upload.key == "p/a+b");
  CHECK(page->uploads[0].upload.id == "1");
  CHECK(page->uploads[0].begun_s == 1369353600);
  CHECK(page->next_key == "p/x y");
  CHECK(page->next_id == "2");
  CHECK_FALSE(parse_uploads_page("no XML"));
}

TEST_CASE("parts: what completes an upload") {
  CHECK(complete_document({"a", "b&"}) ==
        "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Part>"
        "<PartNumber>1</PartNumber><ETag>\"a\"</ETag></Part><Part><PartNumber>2</PartNumber><ETag>"
        "\"b&amp;\"</ETag></Part></CompleteMultipartUpload>");
}

TEST_CASE("XML: five characters are escaped, and read back") {
  const std::string odd = "<a>&\"'";
  CHECK(xml_escaped(odd) == "&lt;a&gt;&amp;&quot;&apos;");
  const std::string document = "<x>" + xml_escaped(odd) + "</x>";
  XmlReader reader(document);
  REQUIRE(reader.next());
  CHECK(reader.text() == odd);
}
