"""Odd servers for endpoints: one that stands at the end of every name (an HTTP proxy), one that answers for a region only."""
import re

from lib import odd_s3


def region_of(headers):
    """Of the scope that a request was signed for."""
    found = re.search(r"Credential=[^/]+/\d{8}/([^/]*)/s3/aws4_request", headers.get("authorization") or headers.get("Authorization") or "")
    return found and found[1]


class RegionS3(odd_s3.OddS3):
    """Its bucket is in `home`. What was signed for another region is refused as `refuse(handler)` does it."""

    def __init__(self, home, refuse, **options):
        super().__init__(**options)
        self.home, self.refuse = home, refuse
        self.answer = self.judge
        self.refused = []

    def judge(self, handler):
        if region_of(handler.headers) == self.home:
            return False
        self.refused.append((handler.command, handler.path))
        self.refuse(handler)
        return True


class ProxyS3(odd_s3.OddS3):
    """An S3 server behind a proxy: takes requests for any host (`hosts`, in order), as a proxy gets them."""

    def __init__(self):
        super().__init__()
        self.hosts = []
        self.inner = None  # (handler) -> bool, as `answer`
        self.answer = self.unwrap

    def unwrap(self, handler):
        found = re.match(r"http://([^/]*)(/.*)", handler.path)
        if not found:
            return False
        self.hosts.append(found[1])
        if handler.headers["Host"] != found[1]:
            handler.reply(400, b"<Error><Code>InvalidRequest</Code><Message>Host and URL differ</Message></Error>")
            return True
        handler.path = found[2]
        return bool(self.inner and self.inner(handler))
