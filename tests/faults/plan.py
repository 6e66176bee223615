"""Which things die where: the rounds of a run. A round is (point, victim, mode) as Session.round takes them."""
from page import points

LIBRARY = points()[:points().index("start-locked")]
STARTS = ["start-locked", "start-joined", "start-marked", "start-listening", "start-ready"]
STOPS = ["stop-begun", "stop-drained", "stop-given-up", "stop-put-back"]
DIRECT = ["publish-looked", "publish-sent", "publish-told", "publish-agreed"]
LINES = ["journal-begun", "journal-opened", "journal-written", "journal-sure", "journal-kept"]
JOURNAL = ["journal-taken", "journal-read", "journal-published", "journal-unlinked"]
LOOKS = ["scan-begun", "scan-ended", "look-done", "look-told"]
SETTLES = ["settle-due", "settle-answered", "settle-told"]
ONCE = ["client-id-written", "mark-missing"]  # in the life of a volume
HTTP = ["http-sent", "http-answered"]
FILES = ["file-staged", "file-synced", "file-renamed", "note-written", "file-noted", "file-removed"]
UPLOADS = [p for p in points() if p not in LIBRARY + STARTS + STOPS + JOURNAL + LOOKS + SETTLES + ONCE + HTTP + FILES + ["rejoined", "scan-found"]]


def _some(draw, rounds, count):
    return [draw.choice(rounds) for _ in range(count)]


def on_files(draw, share, batch):
    """Of one of several sessions on a directory as the store. batch: the library tells Redis nothing, everything is journalled."""
    library = [p for p in LIBRARY if p not in ONCE + (DIRECT if batch else LINES)]
    rounds = [(p, None, "") for p in library + UPLOADS + FILES + LOOKS + (JOURNAL if batch else [])]
    rounds += [(p, None, "redis") for p in JOURNAL + LINES + ["rejoined"]]
    rounds += [(p, None, "down") for p in STARTS + ["redis-sent", "claimed"]] + [(p, None, "stop") for p in STOPS] + [("scan-found", None, "foreign")] * 2
    rounds += _some(draw, [(p, "redis", "") for p in library + UPLOADS if p.split("-")[0] != "request"], 30) + [("delete-finish-told", "redis", "")]
    rounds += _some(draw, [(p, "uploader", "") for p in library], 12) + _some(draw, [(p, "program", "") for p in UPLOADS], 8)
    rounds += _some(draw, [(None, victim, "") for victim in ("program", "uploader", "redis", "both")], 24)
    draw.shuffle(rounds)
    return [(ONCE[share % 2], None, "down")] + rounds + [(p, None, "settle") for p in SETTLES[share % 3:share % 3 + 1]]


def on_s3(draw, count):
    """On a real S3 server, of which the gateway dies alone."""
    uploads = [p for p in UPLOADS if p not in ("request-taken", "request-ended")] + HTTP
    rounds = [(p, None, "") for p in HTTP * 2 + uploads]
    rounds += [(p, "store", "") for p in HTTP * 3 + ["put-begun", "put-handed", "put-answered", "delete-handed", "delete-answered", "claimed"]]
    rounds += [(None, "store", "")] * 8 + [(None, "uploader", "")] * 4 + [(None, "redis", "")] * 4
    rounds += _some(draw, [(p, victim, "") for p in uploads for victim in ("redis", "store")], max(0, count - len(rounds)))
    draw.shuffle(rounds)
    return [("mark-missing", None, "down")] + rounds
