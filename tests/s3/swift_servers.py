"""Swift's four servers and memcached as children of one process: the inside of start-swift-s3.sh."""
import ctypes
import getpass
import http.client
import os
import shutil
import signal
import sys
import time

KINDS = ("object", "container", "account")  # at PORT+1, +2, +3
START_SECONDS = 60

SWIFT_CONF = """[swift-hash]
swift_hash_path_suffix = {suffix}
[storage-policy:0]
name = gold
default = yes
[swift-constraints]
max_meta_value_length = 2048
"""

STORAGE_CONF = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {etc}
devices = {data}/node
mount_check = false
disable_fallocate = true
log_level = ERROR
max_clients = 4096
backlog = 4096
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
log_requests = false
node_timeout = 30
conn_timeout = 5
container_update_timeout = 30
recon_cache_path = {data}/cache
"""

# error_suppression_limit: else one slow answer takes the only device out for a minute.
PROXY_CONF = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = {workers}
user = {user}
swift_dir = {etc}
log_level = ERROR
max_clients = 4096
backlog = 4096
client_timeout = {client_timeout}
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats s3api tempauth {ratelimit} copy slo versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
node_timeout = 30
conn_timeout = 5
recoverable_node_timeout = 30
error_suppression_limit = 1000000
recheck_container_existence = {recheck}
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{memcached}
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
location = {region}
s3_acl = false
min_segment_size = {min_part}
max_upload_part_num = 10000
multi_delete_concurrency = 8
storage_domain = {domain}
[filter:tempauth]
use = egg:swift#tempauth
user_{account}_{account_user} = {secret} .admin
[filter:copy]
use = egg:swift#copy
[filter:ratelimit]
use = egg:swift#ratelimit
clock_accuracy = 1000
max_sleep_time_seconds = 0.05
container_ratelimit_0 = {rate}
[filter:slo]
use = egg:swift#slo
max_manifest_segments = 10000
[filter:symlink]
use = egg:swift#symlink
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
allow_object_versioning = true
"""


class Servers:
    """One deployment in one directory."""

    def __init__(self, data, port, access, secret):
        self.port, self.access, self.secret = port, access, secret
        for folder in ("etc", "node/d1", "cache", "log"):
            os.makedirs(os.path.join(data, folder), exist_ok=True)
        self.data = os.path.realpath(data)
        self.etc = os.path.join(self.data, "etc")
        self.region = os.environ.get("SWIFT_REGION", "us-east-1")
        self.children = {}  # pid: name

    def _put(self, name, text):
        with open(os.path.join(self.etc, name), "w", encoding="utf-8") as f:
            f.write(text)

    def check_attributes(self):
        device = os.path.join(self.data, "node", "d1")
        try:
            os.setxattr(device, "user.swift.t", b"1")
            os.removexattr(device, "user.swift.t")
        except OSError as e:
            sys.exit(f"the data directory needs user.* attributes (ext4, xfs, btrfs; tmpfs from Linux 6.6): {e}")

    def configure(self):
        suffix = os.path.join(self.etc, "hash")
        if not os.path.exists(suffix):
            self._put("hash", os.urandom(8).hex())
        with open(suffix, encoding="utf-8") as f:
            self._put("swift.conf", SWIFT_CONF.format(suffix=f.read()))
        user = getpass.getuser()
        for offset, kind in enumerate(KINDS, 1):
            self._put(f"{kind}-server.conf",
                      STORAGE_CONF.format(port=self.port + offset, user=user, etc=self.etc, data=self.data, kind=kind))
        account, account_user = self.access.split(":", 1)
        rate = os.environ.get("SWIFT_RATELIMIT", "")
        self._put("proxy-server.conf", PROXY_CONF.format(
            port=self.port, workers=os.environ.get("SWIFT_WORKERS", "0"), user=user, etc=self.etc,
            client_timeout=os.environ.get("SWIFT_CLIENT_TIMEOUT", "60"), ratelimit="ratelimit" if rate else "",
            recheck="1" if rate else "60", memcached=self.port + 4, region=self.region,
            min_part=os.environ.get("SWIFT_MIN_PART", "5242880"), domain=os.environ.get("SWIFT_DOMAIN", ""),
            account=account, account_user=account_user, secret=self.secret, rate=rate or "0"))

    def use_configuration(self):
        """The path of swift.conf is compiled into Swift: point it at ours before anything reads it."""
        from swift.common import constraints, storage_policy, utils
        utils.SWIFT_CONF_FILE = constraints.SWIFT_CONF_FILE = os.path.join(self.etc, "swift.conf")
        constraints.reload_constraints()
        storage_policy.reload_storage_policies()

    def build_rings(self):
        """Anew each time: the port may have changed."""
        from swift.common.ring import RingBuilder
        for offset, kind in enumerate(KINDS, 1):
            builder = RingBuilder(3, 1, 1)
            port = self.port + offset
            builder.add_dev({"region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "replication_ip": "127.0.0.1",
                             "replication_port": port, "device": "d1", "weight": 1.0, "meta": ""})
            builder.rebalance()
            builder.get_ring().save(os.path.join(self.etc, f"{kind}.ring.gz"))

    def child(self, name, function):
        pid = os.fork()
        if pid:
            self.children[pid] = name
            return
        try:
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # dies with the supervisor
            log = os.open(os.path.join(self.data, "log", name + ".log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            os.dup2(log, 1)
            os.dup2(log, 2)
            function()
        finally:
            os._exit(1)

    def start(self):
        memcached = shutil.which("memcached", path="/usr/bin:/usr/local/bin")
        if not memcached:
            sys.exit("memcached is not installed")
        # Imported once, before the forks.
        import swift.account.server  # noqa: F401
        import swift.container.server  # noqa: F401
        import swift.obj.server
        import swift.proxy.server  # noqa: F401
        from swift.common.wsgi import run_wsgi
        argv = [memcached, "-l", "127.0.0.1", "-p", str(self.port + 4), "-U", "0", "-m", "64", "-c", "4096"]
        argv += ["-u", "root"] if os.getuid() == 0 else []
        self.child("memcached", lambda: os.execv(memcached, argv))
        for kind in KINDS + ("proxy",):
            more = {"global_conf_callback": swift.obj.server.global_conf_callback} if kind == "object" else {}
            conf = os.path.join(self.etc, kind + "-server.conf")
            self.child(kind, lambda conf=conf, kind=kind, more=more: run_wsgi(conf, kind + "-server", default_port=0, verbose=False, **more))

    def wait_until_ready(self):
        end = time.monotonic() + START_SECONDS
        for offset in (1, 2, 3, 0):
            while not self._answers(self.port + offset):
                if time.monotonic() > end or os.waitpid(-1, os.WNOHANG)[0]:
                    print(f"swift did not start; see {self.data}/log", file=sys.stderr)
                    self.stop(1)
                time.sleep(0.02)

    @staticmethod
    def _answers(port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/healthcheck")
            connection.getresponse().read()
            return True
        except OSError:
            return False
        finally:
            connection.close()

    def stop(self, status=0):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        for act in (lambda pid: os.kill(pid, signal.SIGTERM), lambda pid: os.waitpid(pid, 0)):
            for pid in self.children:
                try:
                    act(pid)
                except OSError:
                    pass
        os._exit(status)


def main():
    servers = Servers(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4])
    servers.check_attributes()
    servers.configure()
    servers.use_configuration()
    servers.build_rings()
    servers.start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: servers.stop())
    servers.wait_until_ready()
    print(f"endpoint=http://127.0.0.1:{servers.port} access_key={servers.access} secret_key={servers.secret} "
          f"region={servers.region} style=path", flush=True)
    pid, status = os.wait()
    print(f"{servers.children.pop(pid, pid)} ended (status {status}); see {servers.data}/log", file=sys.stderr)
    servers.stop(1)


if __name__ == "__main__":
    main()
