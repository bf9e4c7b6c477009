import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginsPreamble, type Preamble } from '#sealert/flow/preamble.js';
import fc from '../support/property.js';
import { ascii, hex, join } from '../support/rudp.js';

/// What one side says next.
type Line = readonly [fromClient: boolean, bytes: Uint8Array];

const says = (text: string): Line => [true, ascii(text)];
const answers = (text: string): Line => [false, ascii(text)];
const C = (digits: string): Line => [true, hex(digits.replaceAll(' ', ''))];
const S = (digits: string): Line => [false, hex(digits.replaceAll(' ', ''))];

/// Plays a conversation and returns the preamble, or null if it begins none.
/// Each message is cut at the places that `cuts` chooses, the first one behind
/// the bytes that show what it is.
function play(lines: readonly Line[], cuts: readonly number[] = []): Preamble | null {
  const first = lines[0]![1];
  const preamble = beginsPreamble(first, 0, first.length, first.length);
  if (preamble === null) return null;
  let cut = 0;
  for (const [fromClient, bytes] of lines) {
    let at = 0;
    while (at < bytes.length && preamble.state === 'open') {
      const most = bytes.length - at;
      const length = cut < cuts.length ? Math.min(most, 1 + (cuts[cut++]! % most)) : most;
      const around = join(
        new Uint8Array(3).fill(5),
        bytes.subarray(at, at + length),
        new Uint8Array(9).fill(5),
      );
      const taken = preamble.take(fromClient, around, 3, length);
      assert.ok(taken === length || isRefused(preamble));
      at += length;
    }
  }
  return preamble;
}

function isRefused({ state }: Preamble): boolean {
  return state === 'refused';
}

const NAME = '0b 76706e2e6578616d706c65';
const name = 'vpn.example';
const V4 = Uint8Array.of(203, 0, 113, 10);
const V6 = hex('20010db8000000000000000000000002');
const TO_V4 = '05 01 00 01 cb00710a 01bb';
const GRANTED5 = '05 00 00 01 00000000 0000';
const OK = answers('HTTP/1.1 200 Connection established\r\n\r\n');

/// Conversations that go through: what was asked for, and how.
const THROUGH: [title: string, lines: Line[], host: Uint8Array | string, port: number, how: string][] = [
  [
    'CONNECT to an address',
    [says('CONNECT 203.0.113.10:443 HTTP/1.1\r\nHost: a\r\n\r\n'), OK],
    '203.0.113.10',
    443,
    'none',
  ],
  ['CONNECT to a name', [says('CONNECT vpn.example:5555 HTTP/1.0\r\n\r\n'), OK], name, 5555, 'none'],
  ['CONNECT to IPv6', [says('CONNECT [2001:db8::2]:992 HTTP/1.1\r\n\r\n'), OK], '2001:db8::2', 992, 'none'],
  [
    'CONNECT with Basic',
    [
      says('CONNECT vpn.example:443 HTTP/1.1\r\nProxy-Authorization: Basic c2VjcmV0OmhpZGRlbg==\r\n\r\n'),
      answers('HTTP/1.0 200 OK\r\nVia: squid\r\n\r\n'),
    ],
    name,
    443,
    'basic',
  ],
  [
    'CONNECT with Digest, in small letters',
    [
      says(
        'CONNECT vpn.example:443 HTTP/1.1\r\nA: b\r\nproxy-authorization:Digest username="secret"\r\n\r\n',
      ),
      OK,
    ],
    name,
    443,
    'digest',
  ],
  ['SOCKS4', [C('04 01 01bb cb00710a 00'), S('00 5a 01bb cb00710a')], V4, 443, 'none'],
  [
    'SOCKS4 with a user',
    [C('04 01 01bb cb00710a 736563726574 00'), S('00 5a 0000 00000000')],
    V4,
    443,
    'user-id',
  ],
  [
    'SOCKS4a',
    [C('04 01 15b3 00000001 00 76706e2e6578616d706c65 00'), S('00 5a 0000 00000000')],
    name,
    5555,
    'none',
  ],
  [
    'SOCKS4a with a user',
    [C('04 01 01bb 000000ff 736563726574 00 76706e2e6578616d706c65 00'), S('00 5a 0000 00000000')],
    name,
    443,
    'user-id',
  ],
  ['SOCKS5', [C('05 01 00'), S('05 00'), C(TO_V4), S(GRANTED5)], V4, 443, 'none'],
  ['SOCKS5 that offers two ways', [C('05 02 0002'), S('05 00'), C(TO_V4), S(GRANTED5)], V4, 443, 'none'],
  [
    'SOCKS5 with a password',
    [
      C('05 02 0002'),
      S('05 02'),
      C('01 06 736563726574 06 68696464656e'),
      S('01 00'),
      C(TO_V4),
      S('05 00 00 03 03 616263 0438'),
    ],
    V4,
    443,
    'password',
  ],
  [
    'SOCKS5 to a name',
    [C('05 01 00'), S('05 00'), C(`05 01 00 03 ${NAME} 01bb`), S(GRANTED5)],
    name,
    443,
    'none',
  ],
  [
    'SOCKS5 to IPv6',
    [
      C('05 01 00'),
      S('05 00'),
      C('05 01 00 04 20010db8000000000000000000000002 03e0'),
      S('05 00 00 04 00000000000000000000000000000000 0000'),
    ],
    V6,
    992,
    'none',
  ],
];

const GREETED: Line[] = [C('05 02 0002'), S('05 02'), C('01 06 736563726574 06 68696464656e')];
const connect = says('CONNECT vpn.example:443 HTTP/1.1\r\n\r\n');
const socks4 = C('04 01 01bb cb00710a 00');

/// Conversations that end, or were none, at their last line.
const REFUSED: [title: string, lines: Line[]][] = [
  [
    '407',
    [connect, answers('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n')],
  ],
  ['403', [connect, answers('HTTP/1.1 403 Forbidden\r\n\r\n')]],
  ['502', [connect, answers('HTTP/1.0 502 Bad Gateway\r\n\r\n')]],
  ['an answer that is no HTTP', [connect, answers('220 smtp.example ready\r\n\r\n')]],
  ['CONNECT without a port', [says('CONNECT vpn.example HTTP/1.1\r\n\r\n')]],
  ['CONNECT with two names', [says('CONNECT a b:443 HTTP/1.1\r\n\r\n')]],
  ['CONNECT of another version', [says('CONNECT a:443 HTTP/2.0\r\n\r\n')]],
  ['CONNECT, and more before the answer', [connect, says('hello')]],
  ...['5b', '5c', '5d', '00'].map((code): [string, Line[]] => [
    `SOCKS4 answer ${code}`,
    [socks4, S(`00 ${code} 0000 00000000`)],
  ]),
  ['SOCKS4 answer of another version', [socks4, S('04 5a 0000 00000000')]],
  ['SOCKS5: no acceptable method', [C('05 01 00'), S('05 ff')]],
  ['SOCKS5: GSSAPI', [C('05 02 0001'), S('05 01')]],
  ['SOCKS5: another version answers', [C('05 01 00'), S('04 00')]],
  ...['01', '05', 'ff'].map((status): [string, Line[]] => [
    `SOCKS5: log-in answered ${status}`,
    [...GREETED, S(`01 ${status}`)],
  ]),
  ['SOCKS5: log-in answered by version 5', [...GREETED, S('05 00')]],
  ['SOCKS5: log-in of another version', [...GREETED.slice(0, 2), C('05 01 61 01 62')]],
  ...Array.from({ length: 9 }, (_, i): [string, Line[]] => [
    `SOCKS5: answer ${i + 1}`,
    [C('05 01 00'), S('05 00'), C(TO_V4), S(`05 0${i + 1} 00 01 00000000 0000`)],
  ]),
  ['SOCKS5: BIND', [C('05 01 00'), S('05 00'), C('05 02 00 01 cb00710a 01bb')]],
  ['SOCKS5: UDP', [C('05 01 00'), S('05 00'), C('05 03 00 01 cb00710a 01bb')]],
  ['SOCKS5: an unknown kind of address', [C('05 01 00'), S('05 00'), C('05 01 00 02 cb00710a 01bb')]],
  ['SOCKS5: the server speaks first', [C('05 01 00'), C(TO_V4)]],
];

const anyCuts = fc.array(fc.nat(400), { maxLength: 120 });

for (const [title, lines, host, port, authentication] of THROUGH) {
  test(`${title}: through, in any pieces`, () => {
    const carrier = title.startsWith('CONNECT')
      ? 'http-proxy'
      : title.startsWith('SOCKS5')
        ? 'socks5'
        : 'socks4';
    fc.assert(
      fc.property(anyCuts, (cuts) => {
        const preamble = play(lines, cuts)!;
        assert.equal(preamble.state, 'through');
        assert.deepEqual(preamble.request, { carrier, host, port, authentication });
      }),
      { numRuns: 100 },
    );
    // One byte at a time.
    assert.equal(play(lines, new Array(1000).fill(0))!.state, 'through');
  });
}

for (const [title, lines] of REFUSED) {
  test(`refused, in any pieces: ${title}`, () => {
    assert.equal(play(lines.slice(0, -1).length > 0 ? lines.slice(0, -1) : [connect])!.state, 'open');
    fc.assert(
      fc.property(anyCuts, (cuts) => {
        assert.equal(play(lines, cuts)!.state, 'refused');
      }),
      { numRuns: 50 },
    );
  });
}

test('what follows the preamble in the same piece is not taken', () => {
  const tls = hex('160301');
  for (const [title, lines] of THROUGH) {
    const preamble = play(lines.slice(0, -1))!;
    const [fromClient, last] = lines.at(-1)!;
    assert.equal(preamble.take(fromClient, join(last, tls), 0, last.length + tls.length), last.length, title);
    assert.equal(preamble.state, 'through', title);
    assert.equal(preamble.take(true, tls, 0, tls.length), 0, title);
  }
});

test('nothing that is secret is kept, in whatever state', () => {
  for (const [title, lines] of [...THROUGH, ...REFUSED]) {
    for (let count = 1; count <= lines.length; count++) {
      const kept = JSON.stringify(play(lines.slice(0, count))!.request);
      for (const secret of ['secret', 'hidden', 'c2VjcmV0OmhpZGRlbg', 'username']) {
        assert.ok(!kept.includes(secret), `${title}: ${kept}`);
      }
    }
  }
});

test('what begins no preamble', () => {
  const OTHERS = ['GET / HTTP/1.1\r\n', 'CONNECT', 'connect a:1 ', '', 'CONNECTING '].map(ascii);
  const BYTES = ['0402 01bb 01020304 00', '04', '05', '0501', '0502 00', '0501 0000', '1603010200'];
  for (const bytes of [...OTHERS, ...BYTES.map((digits) => hex(digits.replaceAll(' ', '')))]) {
    assert.equal(
      beginsPreamble(bytes, 0, bytes.length, bytes.length),
      null,
      Buffer.from(bytes).toString('latin1'),
    );
  }
});

test('a message without an end is given up after 8 KiB, and no more than that is kept', () => {
  const endless = ascii(`CONNECT a:1 HTTP/1.1\r\n${'X: y\r\n'.repeat(3_000)}`);
  for (const piece of [1, 100, 1448, 8_192, 16_000]) {
    const preamble = beginsPreamble(endless, 0, 100, 100)!;
    let at = 0;
    while (preamble.state === 'open' && at < endless.length) {
      at += preamble.take(true, endless, at, Math.min(piece, endless.length - at));
    }
    assert.equal(preamble.state, 'refused', `${piece}`);
    assert.ok(at <= Math.max(8_192, piece), `${piece}`);
  }
});

test('hostile bytes never throw, and never more is taken than there was', () => {
  const starts = ['434f4e4e45435420', '0401', '050100', '05020002', '0500'].map(hex);
  const anyPiece = fc.tuple(fc.boolean(), fc.uint8Array({ maxLength: 600 }));
  fc.assert(
    fc.property(fc.constantFrom(...starts), fc.array(anyPiece, { maxLength: 20 }), (start, pieces) => {
      const preamble = beginsPreamble(start, 0, start.length, start.length);
      if (preamble === null) return;
      preamble.take(true, start, 0, start.length);
      for (const [fromClient, bytes] of pieces) {
        const taken = preamble.take(fromClient, bytes, 0, bytes.length);
        assert.ok(taken >= 0 && taken <= bytes.length);
      }
    }),
    { numRuns: 2_000 },
  );
  // The same behind true beginnings, so that every step is reached.
  const anyTail = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 6 });
  fc.assert(
    fc.property(fc.constantFrom(...THROUGH), fc.nat(5), anyTail, ([, lines], count, tail) => {
      const preamble = play(lines.slice(0, 1 + (count % lines.length)))!;
      for (const bytes of tail) {
        const taken = preamble.take(lines[count % lines.length]![0], bytes, 0, bytes.length);
        assert.ok(taken >= 0 && taken <= bytes.length);
      }
    }),
    { numRuns: 2_000 },
  );
});
