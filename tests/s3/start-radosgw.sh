#!/usr/bin/env bash
# start-radosgw.sh DATA_DIR PORT [ACCESS_KEY SECRET_KEY]
# A real Ceph RADOS Gateway on the loopback: one mon, one OSD, no mgr, no cephx. Made for Ceph 16
# (Debian 12). Needs: apt-get install --no-install-recommends radosgw ceph-mon ceph-osd curl
# (openssl for CEPH_TLS). Runs as any user.
#
# Ports: PORT (S3), PORT+1 mon, PORT+2..PORT+9 OSD, PORT+10 https. Memory: 2 GB at most (CEPH_MEM).
# Environment:
#   CEPH_STORE     memstore (default; objects live in memory, DATA_DIR is wiped) or bluestore (kept)
#   CEPH_MEM       bytes of memstore (default 2 GiB)
#   CEPH_DOMAIN    DNS name below which buckets are hosts (virtual-host style)
#   CEPH_TLS=1     also https on PORT+10 with a self-signed DATA_DIR/cert.pem
#   CEPH_STS=1     role arn:aws:iam:::role/uploader, so that sts:AssumeRole gives session tokens; a bad
#                  signature is then answered AccessDenied in place of SignatureDoesNotMatch
#   CEPH_MAX_REQS  503 SlowDown to more requests than that at once (default 1024)
#   CEPH_RGW_AGAIN=1  radosgw is started again whenever it ends (for tests that kill it: its objects lie with the OSD)
# Prints one line "endpoint=… access_key=… secret_key=… region=… style=path" when it answers. Stays in
# the foreground; SIGTERM or SIGINT ends what it started, and its children die with it.
set -eu
[ $# -ge 2 ] || { sed -n '2,20p' "$0"; exit 2; }
port=$2 access_key=${3:-rgwtest} secret_key=${4:-rgwtestsecret} store=${CEPH_STORE:-memstore}
for b in ceph-mon ceph-osd radosgw radosgw-admin monmaptool curl setpriv; do
  command -v "$b" >/dev/null || { echo "$b is not installed" >&2; exit 2; }
done
mkdir -p "$1"
dir=$(cd "$1" && pwd)
if [ "$store" = memstore ] && [ -f "$dir/ceph.conf" ]; then
  rm -rf "$dir/mon" "$dir/osd" "$dir/rgw" "$dir/run"
fi
new=1
if [ -d "$dir/mon/store.db" ]; then new=0; fi
mkdir -p "$dir/mon" "$dir/osd" "$dir/rgw" "$dir/run" "$dir/log"
fsid=11111111-2222-3333-4444-555555555555
osd_id=66666666-7777-8888-9999-aaaaaaaaaaaa

tls=
if [ "${CEPH_TLS:-0}" = 1 ]; then
  [ -f "$dir/cert.pem" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
    -days 30 -keyout "$dir/key.pem" -out "$dir/cert.pem" -subj /CN=localhost \
    -addext "subjectAltName=DNS:localhost,DNS:*.s3.localhost,IP:127.0.0.1" 2>/dev/null
  tls=" ssl_endpoint=127.0.0.1:$((port + 10)) ssl_certificate=$dir/cert.pem ssl_private_key=$dir/key.pem"
fi
sts=
if [ "${CEPH_STS:-0}" = 1 ]; then
  sts=$'rgw sts key = 0123456789abcdef\nrgw s3 auth use sts = true'
fi

# Not obvious: the mon's default client mode "secure" hangs without cephx; the paxos intervals cut the
# start from 10 s to under 1 s; without tcp_nodelay every answer waits for Nagle.
cat > "$dir/ceph.conf" <<CONF
[global]
fsid = $fsid
mon host = [v2:127.0.0.1:$((port + 1))/0]
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind msgr1 = false
ms bind port min = $((port + 2))
ms bind port max = $((port + 9))
ms mon client mode = crc secure
ms mon cluster mode = crc secure
ms mon service mode = crc secure
auth cluster required = none
auth service required = none
auth client required = none
run dir = $dir/run
admin socket = $dir/run/\$name.asok
log file = $dir/log/\$name.log
log to stderr = false
mon cluster log file = $dir/log/cluster.log
crash dir = $dir/run
debug ms = 0/0
debug mon = 0/0
debug osd = 0/0
debug rgw = 0/0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 2000
mon osd prime pg temp = false
paxos propose interval = 0.02
paxos min wait = 0.01
mon tick interval = 1
mon osd min up ratio = 0
mon data avail crit = 1
mon data avail warn = 1
osd objectstore = $store
memstore page set = true
memstore page size = 4096
memstore device bytes = ${CEPH_MEM:-2147483648}
bluestore block size = 21474836480
bluestore fsck on mount = false
osd memory target = 939524096
osd op num shards = 2
osd max object name len = 2048
osd class update on start = false
osd crush update on start = true
[mon.a]
host = localhost
mon data = $dir/mon
[osd]
osd data = $dir/osd
osd uuid = $osd_id
[client.rgw]
rgw data = $dir/rgw
rgw frontends = beast endpoint=127.0.0.1:$port tcp_nodelay=1$tls
rgw thread pool size = 64
rgw max concurrent requests = ${CEPH_MAX_REQS:-1024}
rgw enable usage log = false
rgw enable ops log = false
rgw run sync thread = false
rgw enable quota threads = false
rgw enable lc threads = false
rgw dynamic resharding = false
rgw gc max objs = 4
rgw lc max objs = 4
rgw usage max shards = 1
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = testkey-1=YmluCmJvb3N0CmJvb3N0LWJ1aWxkCmNlcGguY29uZgo=
rgw relaxed s3 bucket names = false
rgw dns name = ${CEPH_DOMAIN:-}
$sts
CONF
export CEPH_CONF=$dir/ceph.conf

pids=
# Back only when all are gone. What lives in memory is worth no orderly end; the others get 5 s for it.
stop() {
  trap - TERM INT EXIT
  if [ "$store" != memstore ] && [ -n "$pids" ]; then
    kill $pids 2>/dev/null || :
    for _ in $(seq 50); do
      kill -0 $pids 2>/dev/null || break
      sleep 0.1
    done
  fi
  [ -z "$pids" ] || kill -9 $pids 2>/dev/null || :
  wait $pids 2>/dev/null || :
  exit "${1:-0}"
}
trap 'stop 0' TERM INT
trap 'stop 1' EXIT
start() {
  local log=$1
  shift
  setpriv --pdeathsig KILL -- "$@" >>"$dir/log/$log" 2>&1 &
  pids="$pids $!"
}
# Without a socket of its own: it bears radosgw's name, and the two would take it from each other.
admin() { radosgw-admin --admin-socket="" -n client.rgw -c "$CEPH_CONF" "$@" >/dev/null 2>>"$dir/log/setup.err"; }

if [ $new = 1 ]; then
  monmaptool --create --clobber --fsid $fsid --addv a "[v2:127.0.0.1:$((port + 1))/0]" "$dir/monmap" >/dev/null
  ceph-mon --mkfs -i a -c "$CEPH_CONF" --monmap "$dir/monmap" >/dev/null 2>>"$dir/log/setup.err"
fi
start mon.out ceph-mon -f -i a -c "$CEPH_CONF"
if [ $new = 1 ]; then
  ceph -c "$CEPH_CONF" --connect-timeout 30 osd new $osd_id 0 >/dev/null
  ceph-osd --mkfs -i 0 -c "$CEPH_CONF" --osd-uuid $osd_id >/dev/null 2>>"$dir/log/setup.err"
fi
start osd.out ceph-osd -f -i 0 -c "$CEPH_CONF"
start rgw.out radosgw -f -n client.rgw -c "$CEPH_CONF"
if [ $new = 1 ]; then
  admin user create --uid=test --display-name=test --access-key="$access_key" --secret-key="$secret_key" --max-buckets=1000
  if [ "${CEPH_STS:-0}" = 1 ]; then
    admin caps add --uid=test --caps="roles=*"
    admin role create --role-name=uploader --assume-role-policy-doc='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam:::user/test"]},"Action":["sts:AssumeRole"]}]}'
    admin role-policy put --role-name=uploader --policy-name=all --policy-doc='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":"arn:aws:s3:::*"}]}'
  fi
fi
answers=0
for _ in $(seq 600); do
  if curl --noproxy '*' -s -o /dev/null "http://127.0.0.1:$port/"; then answers=1; break; fi
  sleep 0.1
done
[ $answers = 1 ] || { echo "radosgw does not answer; see $dir/log" >&2; exit 1; }
echo "endpoint=http://127.0.0.1:$port access_key=$access_key secret_key=$secret_key region=us-east-1 style=path"
while [ "${CEPH_RGW_AGAIN:-0}" = 1 ]; do
  wait -n $pids || :
  if kill -0 "${pids##* }" 2>/dev/null; then break; fi
  pids=${pids% *}
  start rgw.out radosgw -f -n client.rgw -c "$CEPH_CONF"
done
[ "${CEPH_RGW_AGAIN:-0}" = 1 ] || wait -n $pids || :
echo "a ceph process ended; see $dir/log" >&2
stop 1
