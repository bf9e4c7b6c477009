import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlainBlockWalk } from '#sealert/flow/plain-blocks.js';
import fc from '../support/property.js';
import { join } from '../support/rudp.js';

const int = (value: number) => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
/// Bytes that look like the beginning of a block, to be passed over.
const body = (length: number) => new Uint8Array(length).fill(0xff);

function block(...sizes: number[]): Uint8Array {
  return join(int(sizes.length), ...sizes.flatMap((size) => [int(size), body(size)]));
}

function keepAlive(size: number): Uint8Array {
  return join(int(0xffff_ffff), int(size), body(size));
}

function walked(...pieces: Uint8Array[]): PlainBlockWalk {
  const walk = new PlainBlockWalk();
  for (const piece of pieces) {
    walk.bytes(join(new Uint8Array(2).fill(0xaa), piece, new Uint8Array(5).fill(0xaa)), 2, piece.length);
  }
  return walk;
}

const facts = ({ blocks, keepAlives, frames, broken }: PlainBlockWalk) => ({
  blocks,
  keepAlives,
  frames,
  broken,
});

test('blocks and keep-alives are counted', () => {
  assert.deepEqual(facts(walked()), { blocks: 0, keepAlives: 0, frames: 0, broken: false });
  const walk = walked(block(42), keepAlive(300), block(60, 1_514, 98), keepAlive(0), keepAlive(511));
  assert.deepEqual(facts(walk), { blocks: 5, keepAlives: 3, frames: 4, broken: false });
  walk.reset();
  assert.deepEqual(facts(walk), { blocks: 0, keepAlives: 0, frames: 0, broken: false });
});

test('a block counts when the header of its last frame is read', () => {
  const bytes = block(42, 60);
  const counts = [3, 4, 8, 49, 50, 54, bytes.length].map((end) => {
    const { blocks, frames } = walked(bytes.subarray(0, end));
    return [blocks, frames];
  });
  assert.deepEqual(counts, [
    [0, 0],
    [0, 0],
    [0, 1],
    [0, 1],
    [0, 1],
    [1, 2],
    [1, 2],
  ]);
});

const anyBlock = fc.oneof(
  fc.array(fc.integer({ min: 8, max: 1_700 }), { minLength: 1, maxLength: 5 }),
  fc.integer({ min: 0, max: 512 }),
);
const encode = (part: number[] | number) => (typeof part === 'number' ? keepAlive(part) : block(...part));

test('any pieces give the same', () => {
  const anyPieces = fc.array(fc.integer({ min: 1, max: 900 }), { maxLength: 60 });
  fc.assert(
    fc.property(fc.array(anyBlock, { maxLength: 8 }), anyPieces, (parts, pieces) => {
      const bytes = join(...parts.map(encode));
      const cut: Uint8Array[] = [];
      let at = 0;
      for (const piece of [...pieces, bytes.length]) {
        cut.push(bytes.subarray(at, at + piece));
        at += piece;
      }
      const expected = {
        blocks: parts.length,
        keepAlives: parts.filter((part) => typeof part === 'number').length,
        frames: parts.reduce<number>((sum, part) => sum + (typeof part === 'number' ? 0 : part.length), 0),
        broken: false,
      };
      assert.deepEqual(facts(walked(...cut)), expected);
      assert.deepEqual(facts(walked(...[...bytes].map((byte) => Uint8Array.of(byte)))), expected);
    }),
  );
});

test('bytes missing inside a frame or a keep-alive do no harm', () => {
  for (const part of [block(500), keepAlive(500)]) {
    fc.assert(
      fc.property(fc.nat(500), fc.nat(500), (a, b) => {
        const [from, to] = [8 + Math.min(a, b), 8 + Math.max(a, b)];
        const walk = walked(part.subarray(0, from));
        walk.missing(to - from);
        const rest = join(part.subarray(to), block(42));
        walk.bytes(rest, 0, rest.length);
        assert.equal(walk.blocks, 2);
        assert.equal(walk.broken, false);
      }),
    );
  }
});

test('a missing header breaks the walk, for good', () => {
  const part = block(100);
  const HOLES = [
    [0, 1],
    [0, 4],
    [2, 1],
    [6, 2],
    [8, 101],
    [50, 59],
  ] as const;
  for (const [at, length] of HOLES) {
    const walk = walked(part.subarray(0, at));
    walk.missing(length);
    assert.equal(walk.broken, true, `${at}, ${length}`);
    const { blocks } = walk;
    walk.bytes(part, 0, part.length);
    assert.equal(walk.blocks, blocks);
  }
});

const BROKEN: [name: string, bytes: Uint8Array, blocks: number][] = [
  ['no frames', int(0), 0],
  ['too many frames', int(513), 0],
  ['a count with the highest bit set', int(0x8000_0001), 0],
  ['almost a keep-alive', int(0xffff_fffe), 0],
  ['a frame that is too short', join(int(1), int(7)), 0],
  ['a frame that is too long', join(int(1), int(1_701)), 0],
  ['a second frame that is too long', join(int(2), int(8), body(8), int(0xffff_ffff)), 0],
  ['a keep-alive that is too long', join(int(0xffff_ffff), int(513)), 0],
  ['text', new TextEncoder().encode('GET / HTTP/1.1\r\n'), 0],
  ['a TLS record', Uint8Array.of(23, 3, 3, 0, 40), 0],
  ['rubbish after a block', join(block(42), int(0)), 1],
];

for (const [name, bytes, blocks] of BROKEN) {
  test(`broken: ${name}`, () => {
    const walk = walked(bytes, block(42), keepAlive(10));
    assert.equal(walk.broken, true);
    assert.equal(walk.blocks, blocks);
  });
}

test('the limits themselves are allowed', () => {
  const most = block(...new Array(512).fill(8));
  assert.deepEqual(facts(walked(most, block(1_700), keepAlive(512))), {
    blocks: 3,
    keepAlives: 1,
    frames: 513,
    broken: false,
  });
});

test('random bytes are no two blocks', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 64, maxLength: 400 }), (bytes) => {
      const walk = walked(bytes);
      assert.ok(walk.broken || bytes[0] === 0 || bytes[0] === 0xff);
    }),
  );
});
