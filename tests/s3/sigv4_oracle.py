#!/usr/bin/python3
"""Compares our SigV4 signatures with botocore's for generated requests.

    sigv4_oracle.py [SIGN_TOOL] [--count N] [--seed S]

Keys hold every byte from 0x01 to 0xff, '+', '%', '~', dot segments, doubled slashes and up to 1024
bytes; queries repeat names and hold sub-resources, with and without a value; headers repeat and are
padded; some requests carry a session token, a port (the scheme's own among them), or are for another
region. In the group "all" everything meets. Needs python3-botocore. Prints one line a group of cases
and the seed that repeats the run.
SIGN_TOOL is taken from the build directory (WBSHIM_BUILD) unless it is named.
"""
import argparse
import binascii
import datetime
import hashlib
import os
import random
import subprocess
import sys
from urllib.parse import quote

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import build  # noqa: E402

GROUPS = ('bytes', 'tricky', 'long', 'query', 'headers', 'token', 'port', 'region', 'all')
COUNT = 9 * 255 * 3  # every byte of a key three times
REGIONS = ['us-east-1', 'eu-central-1', 'cn-north-1', 'us-gov-west-1', 'ap-southeast-3', 'default', 'auto', 'RegionOne']
TRICKY = [b'a+b', b'a%2Bb', b'%', b'%25', b'100%', b'~user', b'a//b', b'/lead', b'//', b'a/./b',
          b'a/../b', b'.', b'..', b'../../x', b'trail/', b' ', b'a b', b"quote'", b'"', b'$&,:;=@!*()',
          b'?x=1', b'#frag', b'[x]', b'{y}', b'|', b'\\', b'^`', '\u00e9\u0301'.encode(),
          '\u65e5\u672c'.encode(), '\U0001f600'.encode(), b'\x7f', b'\x01\x1f', b'a/b/c', b'<>']


def hex_of(value):
    raw = value if isinstance(value, bytes) else value.encode()
    return binascii.hexlify(raw).decode()


class Request:
    """One generated request, in the terms of both signers."""

    def __init__(self, rng, number):
        self.group = GROUPS[number % len(GROUPS)]
        self.method = rng.choice(['GET', 'PUT', 'DELETE', 'HEAD'])
        self.scheme = rng.choice(['http', 'https'])
        self.host = rng.choice(['bucket.s3.amazonaws.com', '127.0.0.1', 's3.example.com', 'localhost'])
        self.port = rng.choice([80, 443, 8080, 9000, 65535]) if self.has('port') else None
        self.key = self.make_key(rng, number)
        self.query = self.make_query(rng) if self.has('query', 'tricky') else []
        # As botocore is given it: a sub-resource may come without its '='; what is signed has it.
        self.bare = rng.random() < 0.5
        self.headers = self.make_headers(rng)
        self.body = rng.randbytes(rng.randrange(64)) if self.method == 'PUT' else b''
        self.token = ''.join(rng.choices('Aa0+/=', k=rng.randrange(20, 400))) \
            if self.has('token') else ''
        self.id = 'AKIA' + ''.join(rng.choices('ABCDEFGH234567', k=16))
        self.secret = ''.join(rng.choices('Aa0+/=', k=40))
        self.region = rng.choice(REGIONS) if self.has('region') else 'us-east-1'
        self.time = datetime.datetime(2000, 1, 1) + datetime.timedelta(
            seconds=rng.randrange(100 * 365 * 86400))

    def has(self, *groups):
        return self.group in groups + ('all',)

    def make_key(self, rng, number):
        if self.group == 'bytes':  # every byte in turn, and company
            return bytes([1 + number // len(GROUPS) % 255]) + rng.randbytes(rng.randrange(40)) \
                .replace(b'\0', b'z')
        if self.group == 'long':
            return rng.randbytes(1024).replace(b'\0', b'/')
        if self.has('tricky'):
            return b'/'.join(rng.choices(TRICKY, k=rng.randrange(1, 4)))
        return rng.choice(TRICKY)

    @staticmethod
    def make_query(rng):
        names = ['uploads', 'prefix', 'max-keys', 'continuation-token', 'delete', 'a', 'A', 'a b', 'x-id', 'acl', 'a-b',
                 'partNumber', 'uploadId', 'versions', 'tagging', 'a/b', 'a+']
        values = ['', '', '1', 'J', 'a b', 'a+b/=', '/', '+', '=', ' ', '%20', '%2F', '\u00e9', '~-_.', "'()*!", '&=?', ';#']
        return [(rng.choice(names), rng.choice(values)) for _ in range(rng.randrange(8))]

    def make_headers(self, rng):
        out = [('x-amz-meta-mode', '33188'), ('content-type', 'application/octet-stream')]
        if not self.has('headers'):
            return out[:rng.randrange(3)]
        pool = ['x-amz-meta-a', 'X-Amz-Meta-A-B', 'x-amz-meta-ab', 'Range', 'If-None-Match',
                'x-amz-storage-class', 'Content-MD5', 'x-amz-meta-A', 'User-Agent', 'Expect']
        values = ['v', '  padded  ', 'in   ner', '\ttab\t tab', '', '"quoted  text"', 'a,b', 'x' * 300]
        return out + [(rng.choice(pool), rng.choice(values)) for _ in range(rng.randrange(8))]

    def host_header(self):
        default = {'http': 80, 'https': 443}[self.scheme]
        return self.host if self.port in (None, default) else '%s:%d' % (self.host, self.port)

    def for_tool(self):
        lines = [('method', self.method), ('path', b'/' + self.key)]
        for name, value in self.query:
            lines += [('query-name', name), ('query-value', value)]
        for name, value in self.headers + [('Host', self.host_header())]:
            lines += [('header-name', name), ('header-value', value)]
        epoch = datetime.datetime(1970, 1, 1)
        millis = int((self.time - epoch).total_seconds()) * 1000 + 999
        lines += [('payload', hashlib.sha256(self.body).hexdigest()), ('id', self.id),
                  ('secret', self.secret), ('token', self.token), ('region', self.region),
                  ('time_ms', str(millis))]
        return ''.join('%s %s\n' % (name, hex_of(value)) for name, value in lines) + '\n'

    def by_botocore(self):
        port = '' if self.port is None else ':%d' % self.port
        path = '/' + quote(self.key, safe='/~')
        query = '&'.join(quote(n, safe='~') + ('' if self.bare and not v else '=' + quote(v, safe='~')) for n, v in self.query)
        url = '%s://%s%s%s' % (self.scheme, self.host, port, path) + ('?' + query if query else '')
        request = AWSRequest(method=self.method, url=url, data=self.body)
        for name, value in self.headers:
            request.headers[name] = value  # appends: an e-mail message's headers repeat

        moment = self.time

        class Frozen(datetime.datetime):
            @classmethod
            def utcnow(cls):
                return moment

        class Module:
            datetime = Frozen

        botocore.auth.datetime = Module
        signer = botocore.auth.S3SigV4Auth(
            Credentials(self.id, self.secret, self.token or None), 's3', self.region)
        signer.add_auth(request)
        return path, signer.canonical_query_string(request), request.headers['Authorization']


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('sign_tool', nargs='?', default=os.path.join(build.BUILD, 'tests', 's3', 'sign_tool'))
    parser.add_argument('--count', type=int, default=COUNT)
    parser.add_argument('--seed', type=int, default=random.SystemRandom().randrange(1 << 32))
    args = parser.parse_args()
    print('seed %d, botocore %s' % (args.seed, botocore.__version__))
    rng = random.Random(args.seed)
    requests = [Request(rng, number) for number in range(args.count)]
    done = subprocess.run([args.sign_tool], input=''.join(r.for_tool() for r in requests),
                          stdout=subprocess.PIPE, text=True, check=True)
    answers = done.stdout.splitlines()
    if len(answers) != len(requests):
        sys.exit('sign_tool answered %d of %d requests' % (len(answers), len(requests)))
    tally = {group: [0, 0] for group in GROUPS}
    for request, answer in zip(requests, answers):
        ours, theirs = tuple(answer.split('\t')), request.by_botocore()
        tally[request.group][ours != theirs] += 1
        if ours != theirs and sum(bad for _, bad in tally.values()) <= 3:
            print('differs: key %r query %r headers %r\n  ours   %s\n  theirs %s' %
                  (request.key, request.query, request.headers, ours, theirs))
    for group, (good, bad) in tally.items():
        print('%s %s: %d equal, %d different' % ('FAIL' if bad else 'ok  ', group, good, bad))
    failed = sum(bad > 0 for _, bad in tally.values())
    print('%d passed, %d failed' % (len(GROUPS) - failed, failed))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
