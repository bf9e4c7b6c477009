import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeFrame, decodeIp } from '#sealert/wire/decode.js';
import { FragmentStore } from '#sealert/wire/fragments.js';
import { DEFAULT_FRAGMENT_LIMITS } from '#sealert/wire/limits.js';
import { LINKTYPE } from '#sealert/wire/link-types.js';
import { Packet, STOP_IP_FRAGMENT, STOP_NONE } from '#sealert/wire/packet.js';
import { concat } from '../support/capture-builder.js';
import { ADDRESSES, ADDRESSES6, ipv4, ipv6, udp } from '../support/frames.js';
import fc from '../support/property.js';

interface Piece {
  from: number;
  to: number;
  /// The last one says so; another one that says it is a lie.
  isLast?: boolean;
  id?: number;
  timeUs?: number;
  /// What of the frame was captured.
  snapLen?: number;
  fill?: number;
}

const DATAGRAM = udp(
  5000,
  6000,
  Uint8Array.from({ length: 2992 }, (_, i) => i * 7),
);

function piece4(piece: Piece): Uint8Array {
  const { from, to, isLast = to >= DATAGRAM.bytes.length, id = 1 } = piece;
  const { bytes } = ipv4(
    ADDRESSES,
    { protocol: 17, bytes: bytesOf(piece) },
    { fragment: (isLast ? 0 : 0x2000) | (from >> 3) },
  );
  new DataView(bytes.buffer).setUint16(4, id, false);
  return bytes;
}

function piece6(piece: Piece): Uint8Array {
  const { from, to, isLast = to >= DATAGRAM.bytes.length, id = 1 } = piece;
  const header = Uint8Array.of(0, from >> 8, (from & 0xf8) | (isLast ? 0 : 1), 0, 0, 0, id);
  return ipv6(ADDRESSES6, { protocol: 17, bytes: bytesOf(piece) }, { extensions: [[44, header]] }).bytes;
}

function bytesOf({ from, to, fill }: Piece): Uint8Array {
  return fill === undefined ? DATAGRAM.bytes.slice(from, to) : new Uint8Array(to - from).fill(fill);
}

/// Payloads of the datagrams that the fragments make, `captured/length` of those that are cut.
function reassemble(frames: readonly (readonly [Uint8Array, Piece])[], limits = DEFAULT_FRAGMENT_LIMITS) {
  const store = new FragmentStore(limits);
  const packet = new Packet();
  const whole: string[] = [];
  for (const [frame, { timeUs = 0, snapLen = frame.length }] of frames) {
    const captured = Math.min(snapLen, frame.length);
    const view = new DataView(frame.buffer);
    assert.equal(decodeFrame(view, 0, captured, frame.length, LINKTYPE.RAW, packet), STOP_IP_FRAGMENT);
    if (!store.add(frame, view, captured, packet, timeUs)) continue;
    assert.equal(decodeIp(store.view, store.at, store.end, store.wireEnd, packet), STOP_NONE);
    assert.deepEqual([packet.sourcePort, packet.destinationPort], [5000, 6000]);
    const payload = store.bytes.subarray(packet.payloadAt, packet.payloadAt + packet.payloadCaptured);
    whole.push(
      packet.payloadCaptured < packet.payloadLen
        ? `${packet.payloadCaptured}/${packet.payloadLen}`
        : Buffer.from(payload).equals(DATAGRAM.bytes.subarray(8))
          ? 'whole'
          : 'wrong',
    );
  }
  store.endAll();
  return { whole, counts: store.counts, lost: store.lost };
}

const both = (pieces: readonly Piece[], limits = DEFAULT_FRAGMENT_LIMITS) => {
  const [v4, v6] = [piece4, piece6].map((make) =>
    reassemble(
      pieces.map((piece) => [make(piece), piece] as const),
      limits,
    ),
  );
  assert.deepEqual(v6, v4);
  return v4!;
};

const FIRST = { from: 0, to: 1480 };
const SECOND = { from: 1480, to: 2960 };
const LAST = { from: 2960, to: 3000 };

const ROWS: [name: string, pieces: Piece[], whole: string[], counts: [number, number, number, number]][] = [
  ['in order', [FIRST, SECOND, LAST], ['whole'], [3, 1, 0, 0]],
  ['backwards', [LAST, SECOND, FIRST], ['whole'], [3, 1, 0, 0]],
  ['every fragment twice', [FIRST, FIRST, SECOND, SECOND, LAST, LAST], ['whole'], [6, 1, 0, 0]],
  ['copies after the end', [FIRST, SECOND, LAST, FIRST, SECOND, LAST], ['whole'], [6, 1, 0, 0]],
  [
    'the number again, later',
    [FIRST, SECOND, LAST, { ...FIRST, timeUs: 2e6 }, { ...SECOND, timeUs: 2e6 }, { ...LAST, timeUs: 2e6 }],
    ['whole', 'whole'],
    [6, 2, 0, 0],
  ],
  ['one missing', [FIRST, LAST], [], [2, 0, 1, 0]],
  ['too late', [FIRST, SECOND, { ...LAST, timeUs: 31e6 }], [], [3, 0, 2, 0]],
  [
    'two datagrams at once',
    [FIRST, { ...FIRST, id: 2 }, { ...SECOND, id: 2 }, SECOND, { ...LAST, id: 2 }, LAST],
    ['whole', 'whole'],
    [6, 2, 0, 0],
  ],
  [
    'a fragment inside another: the first counts',
    [FIRST, { from: 8, to: 16, fill: 0 }, SECOND, LAST],
    ['whole'],
    [4, 1, 0, 0],
  ],
  ['overlap in front', [FIRST, { from: 1472, to: 2960, fill: 0 }, SECOND, LAST], [], [4, 0, 0, 1]],
  ['overlap behind', [SECOND, { from: 0, to: 1488, fill: 0 }, FIRST, LAST], [], [4, 0, 0, 1]],
  [
    'overlap around',
    [
      { from: 800, to: 1600 },
      { from: 0, to: 2400, fill: 0 },
    ],
    [],
    [2, 0, 0, 1],
  ],
  ['two ends', [{ ...LAST }, { from: 1480, to: 2952, isLast: true }], [], [2, 0, 0, 1]],
  ['beyond the end', [LAST, { from: 3200, to: 3208, isLast: false }], [], [2, 0, 0, 1]],
  ['an end before what is there', [SECOND, { from: 8, to: 800, isLast: true }], [], [2, 0, 0, 1]],
  ['a length that is no multiple of eight', [{ from: 0, to: 1476, isLast: false }], [], [1, 0, 0, 1]],
  ['cut by the snap length', [FIRST, { ...SECOND, snapLen: 100 }, LAST], ['cut'], [3, 1, 0, 0]],
];

for (const [name, pieces, whole, [received, reassembled, incomplete, givenUp]] of ROWS) {
  test(`fragments: ${name}`, () => {
    if (whole[0] === 'cut') {
      assert.deepEqual(reassemble(pieces.map((piece) => [piece4(piece), piece])).whole, [
        `${1480 - 8 + 80}/${3000 - 8}`,
      ]);
      return;
    }
    const found = both(pieces);
    assert.deepEqual(found.whole, whole);
    assert.deepEqual(found.counts, { received, reassembled, incomplete, givenUp });
  });
}

test('fragments of what never became whole are counted', () => {
  assert.equal(both([FIRST, LAST]).lost, 2);
  assert.equal(both([FIRST, SECOND, LAST]).lost, 0);
  // The one that overlaps, and what comes after it.
  assert.equal(both([FIRST, { from: 8, to: 1600 }, SECOND]).lost, 3);
});

test('no more than 65535 bytes', () => {
  const far = { from: 65_520, to: 65_520 + 80, isLast: true };
  const bytes = concat(piece4({ from: 0, to: 80 }).slice(0, 20), new Uint8Array(80));
  new DataView(bytes.buffer).setUint16(6, far.from >> 3, false);
  assert.deepEqual(reassemble([[bytes, far]]).counts.givenUp, 1);
});

test('memory is bounded: datagrams, bytes, holes', () => {
  const many = Array.from({ length: 50 }, (_, id) => ({ ...FIRST, id }));
  const few = { ...DEFAULT_FRAGMENT_LIMITS, maxDatagrams: 8 };
  assert.deepEqual(both(many, few).counts, { received: 50, reassembled: 0, incomplete: 8, givenUp: 42 });
  const small = { ...DEFAULT_FRAGMENT_LIMITS, maxBytes: 5 * 4096 };
  assert.deepEqual(both(many, small).counts, { received: 50, reassembled: 0, incomplete: 5, givenUp: 45 });
  const holes = Array.from({ length: 100 }, (_, i) => ({ from: 16 * i, to: 16 * i + 8 }));
  assert.equal(both(holes).counts.givenUp, 1);
});

test('whatever the order, the datagram is the same', () => {
  const pieces = Array.from({ length: 25 }, (_, i) => ({ from: 120 * i, to: 120 * (i + 1) }));
  fc.assert(
    fc.property(fc.shuffledSubarray(pieces, { minLength: 25 }), (order) => {
      assert.deepEqual(both(order).whole, ['whole']);
    }),
  );
});
