#!/usr/bin/env bash
# start-swift-s3.sh DATA_DIR PORT [ACCESS_KEY SECRET_KEY]
# A real OpenStack Swift with its s3api middleware: one replica, one device, loopback only. Made for
# Swift 2.30 (Debian 12). Needs: apt-get install --no-install-recommends swift-proxy swift-account
# swift-container swift-object python3-swift memcached (tempauth answers 500 without memcached;
# libeatmydata is optional). Runs as any user; DATA_DIR must be able to hold user.* attributes.
#
# Ports: PORT (S3), PORT+1 object, PORT+2 container, PORT+3 account, PORT+4 memcached.
# Environment:
#   SWIFT_FSYNC=1          keeps fsync (default: libeatmydata where it is installed)
#   SWIFT_REGION           us-east-1; another one in a signature is refused
#   SWIFT_MIN_PART         smallest part but the last (5242880)
#   SWIFT_WORKERS          worker processes of the proxy (0: one process)
#   SWIFT_DOMAIN           storage domain of virtual-host style, such as s3.localhost
#   SWIFT_CLIENT_TIMEOUT   seconds that a body may stall before 408 (60)
#   SWIFT_RATELIMIT        503 SlowDown beyond that many PUT and DELETE a second in one bucket; begins a
#                          second after the bucket's first object
# Prints one line "endpoint=… access_key=… secret_key=… region=… style=path" when it answers. Stays in
# the foreground; SIGTERM or SIGINT ends everything it started, and its children die with it.
set -eu
[ $# -ge 2 ] || { sed -n '2,21p' "$0"; exit 2; }
[ -d /usr/lib/python3/dist-packages/swift ] || { echo "python3-swift is not installed" >&2; exit 2; }
access_key=${3:-test:tester} secret_key=${4:-testing}
case $access_key in *:*) ;; *) echo "ACCESS_KEY must look like account:user (tempauth)" >&2; exit 2 ;; esac
if [ "${SWIFT_FSYNC:-0}" = 0 ]; then
  for library in /usr/lib/*/libeatmydata.so; do
    if [ -f "$library" ]; then export LD_PRELOAD=$library; fi
  done
fi
exec /usr/bin/python3 -B "$(dirname "${BASH_SOURCE[0]}")/swift_servers.py" "$1" "$2" "$access_key" "$secret_key"
