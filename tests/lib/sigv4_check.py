"""Whether a request that arrived is signed as it arrived: SigV4 for S3, worked out anew from what was on the wire."""
import hashlib
import hmac


def _mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def fault(method, raw_path, headers, secret):
    """None, or what differs. raw_path with its query, headers as they came."""
    low = {}
    for name, value in headers.items():
        low[name.lower()] = " ".join(value.split())
    fields = dict(part.split("=", 1) for part in low["authorization"].split(" ", 1)[1].split(", "))
    names = fields["SignedHeaders"].split(";")
    unsigned = [n for n in low if (n.startswith("x-amz-") or n in ("host", "content-type")) and n not in names]
    if unsigned:
        return f"unsigned {unsigned}"
    path, _, query = raw_path.partition("?")
    text = "\n".join([method, path, "&".join(sorted(query.split("&"))), *(f"{n}:{low[n]}" for n in names), "", fields["SignedHeaders"],
                      low["x-amz-content-sha256"]])
    scope = fields["Credential"].split("/", 1)[1]
    key = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        key = _mac(key, part)
    wanted = hmac.new(key, "\n".join(["AWS4-HMAC-SHA256", low["x-amz-date"], scope, hashlib.sha256(text.encode()).hexdigest()]).encode(),
                      hashlib.sha256).hexdigest()
    return None if wanted == fields["Signature"] else f"another signature than of {text!r}"
