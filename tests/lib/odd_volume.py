"""A volume whose store is an odd_s3.OddS3."""
import re
import urllib.request

from lib import ports, volume


class OddVolume(volume.Volume):
    """A volume in the odd server's bucket."""

    def __init__(self, server, **options):
        self.port = ports.free()
        super().__init__(STORE_URL="s3://odd/p", UPLOAD_DELAY="0s", METRICS=f"127.0.0.1:{self.port}", **options)
        self.extra = server.env()

    def errors(self, error_class):
        text = urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10).read().decode()
        found = re.search(r'wbshim_upload_errors_total\{class="%s"\} (\d+)' % error_class, text)
        return int(found[1]) if found else 0

    def state(self, path):
        return self.records()[path]["state"]
