import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_HANDSHAKE_BYTES } from '#sealert/flow/limits.js';
import { TlsRecordWalk } from '#sealert/flow/tls-records.js';
import { concat } from '../support/capture-builder.js';
import fc from '../support/property.js';
import { APPLICATION_DATA, applicationData, HANDSHAKE, record } from '../support/tls.js';

class Recorder {
  readonly records: { type: number; version: number; length: number; frame: number }[] = [];
  readonly handshake: number[] = [];
  notTlsAt: number | null = null;
  notTlsHeader: number[] = [];
  taken = 0;
  readonly walk = new TlsRecordWalk(this);

  record(type: number, version: number, length: number, _timeUs: number, frame: number): void {
    this.records.push({ type, version, length, frame });
  }

  handshakeBytes(bytes: Uint8Array, at: number, length: number): void {
    this.handshake.push(...bytes.subarray(at, at + length));
  }

  notTls(header: Uint8Array, _timeUs: number, frame: number): void {
    assert.equal(this.notTlsAt, null, 'said once');
    this.notTlsAt = frame;
    this.notTlsHeader = [...header];
  }

  /// Gives bytes that lie in the middle of others.
  give(bytes: Uint8Array, frame: number): void {
    const around = new Uint8Array(bytes.length + 8).fill(0x17);
    around.set(bytes, 3);
    this.taken += this.walk.bytes(around, 3, bytes.length, 0, frame);
  }

  lengths(): number[] {
    return this.records.map(({ length }) => length);
  }
}

const anyRecords = fc.array(
  fc.record({
    type: fc.constantFrom(20, 21, 22, 23, 23, 23),
    version: fc.constantFrom(0x0301, 0x0303),
    body: fc.uint8Array({ minLength: 1, maxLength: 300 }),
  }),
  { maxLength: 12 },
);

test('any segmentation gives the same records and handshake bytes', () => {
  fc.assert(
    fc.property(anyRecords, fc.array(fc.nat(120), { maxLength: 30 }), (parts, pieces) => {
      const recorder = new Recorder();
      const bytes = concat(...parts.map(({ type, version, body }) => record(type, body, version)));
      const pieceOf: number[] = [];
      [...pieces, bytes.length].reduce((at, length, i) => {
        const piece = bytes.subarray(at, at + length);
        recorder.give(piece, i);
        for (let j = 0; j < piece.length; j++) pieceOf.push(i);
        return at + piece.length;
      }, 0);
      let at = 0;
      const expected = parts.map(({ type, version, body }) => {
        const frame = pieceOf[at]!;
        at += 5 + body.length;
        return { type, version, length: body.length, frame };
      });
      assert.deepEqual(recorder.records, expected);
      assert.equal(recorder.taken, bytes.length);
      const handshake = parts.filter(({ type }) => type === HANDSHAKE).flatMap(({ body }) => [...body]);
      assert.deepEqual(recorder.handshake, handshake);
      assert.equal(recorder.walk.lostCount, 0);
      assert.equal(recorder.walk.recordCount, parts.length);
    }),
    { numRuns: 300 },
  );
});

test('bytes missing inside bodies do no harm', () => {
  const anyHoles = fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 12 });
  fc.assert(
    fc.property(anyRecords, anyHoles, (parts, holes) => {
      const recorder = new Recorder();
      parts.forEach(({ type, version, body }, i) => {
        const bytes = record(type, body, version);
        const [a, b] = holes[i] ?? [0, 0];
        const from = 5 + (a % (body.length + 1));
        const to = Math.min(bytes.length, from + (b % (body.length + 1)));
        recorder.give(bytes.subarray(0, from), i);
        if (to > from) recorder.walk.missing(to - from);
        recorder.give(bytes.subarray(to), i);
      });
      assert.deepEqual(
        recorder.lengths(),
        parts.map(({ body }) => body.length),
      );
      assert.equal(recorder.walk.lostCount, 0);
    }),
  );
});

test('a lost header: the walk goes on with the next record at the beginning of a segment', () => {
  const recorder = new Recorder();
  const segments = [100, 200, 300, 400, 500].map(applicationData);
  recorder.give(segments[0]!, 1);
  recorder.walk.missing(segments[1]!.length);
  recorder.give(segments[2]!, 3);
  recorder.give(segments[3]!, 4);
  assert.deepEqual(recorder.lengths(), [100, 300, 400]);
  assert.equal(recorder.walk.lostCount, 1);
  assert.equal(recorder.notTlsAt, null);
});

test('a lost header: a record inside a segment, told by what follows it', () => {
  const long = applicationData(3000);
  const lost = new Recorder();
  lost.give(long.subarray(0, 1000), 1);
  // The rest of the record, the whole next one, and the beginning of a third are lost.
  lost.walk.missing(2005 + 700);
  lost.give(concat(new Uint8Array(64).fill(0xe7), applicationData(250), applicationData(60)), 2);
  assert.deepEqual(lost.lengths(), [3000, 250, 60]);

  // Bytes that look like a header, but announce a record that ends nowhere, are passed over.
  const misled = new Recorder();
  misled.give(long.subarray(0, 1000), 1);
  misled.walk.missing(5000);
  const fake = Uint8Array.of(0xe7, 0xe7, 23, 3, 3, 0, 9, 0xe7);
  misled.give(concat(fake, applicationData(250)), 2);
  assert.deepEqual(misled.lengths(), [3000, 250]);
});

test('a header cut in two by missing bytes is lost, too', () => {
  const recorder = new Recorder();
  recorder.give(applicationData(50).subarray(0, 3), 1);
  recorder.walk.missing(52);
  recorder.give(applicationData(60), 2);
  assert.deepEqual(recorder.lengths(), [60]);
  assert.equal(recorder.walk.lostCount, 1);
});

test('what is no record ends the walk', () => {
  const NOT_TLS: [name: string, header: number[]][] = [
    ['an unknown type', [24, 3, 3, 0, 10]],
    ['a type below', [19, 3, 3, 0, 10]],
    ['SSL 2', [0x80, 0x2e, 1, 0, 2]],
    ['another major version', [23, 2, 3, 0, 10]],
    ['a version to come', [23, 3, 5, 0, 10]],
    ['no length', [23, 3, 3, 0, 0]],
    ['a length that TLS does not allow', [23, 3, 3, 0x48, 0x01]],
    ['HTTP', [...'HTTP/'].map((c) => c.charCodeAt(0))],
  ];
  for (const [name, header] of NOT_TLS) {
    const recorder = new Recorder();
    recorder.give(applicationData(10), 1);
    recorder.give(Uint8Array.from(header), 2);
    // Taken up to and with what is no header: the rest is somebody else's.
    assert.equal(recorder.taken, 15 + header.length, name);
    recorder.give(applicationData(10), 3);
    recorder.walk.missing(5);
    assert.equal(recorder.taken, 15 + header.length, name);
    assert.equal(recorder.notTlsAt, 2, name);
    assert.deepEqual(recorder.notTlsHeader, header, name);
    assert.deepEqual(recorder.lengths(), [10], name);
  }
  const within = new Recorder();
  within.give(concat(applicationData(10), Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 42), applicationData(10)), 1);
  assert.deepEqual([within.taken, within.notTlsHeader], [20, [0, 0, 0, 1, 0]]);
  const largest = new Recorder();
  largest.give(record(APPLICATION_DATA, new Uint8Array(16_384 + 2_048)), 1);
  assert.deepEqual(largest.lengths(), [18_432]);
});

test('handshake messages are kept up to a limit, and not behind a hole', () => {
  const recorder = new Recorder();
  for (let i = 0; i < 3; i++) recorder.give(record(HANDSHAKE, new Uint8Array(9000).fill(i)), i);
  assert.equal(recorder.handshake.length, MAX_HANDSHAKE_BYTES);
  assert.equal(recorder.records.length, 3);
  const holed = new Recorder();
  const bytes = record(HANDSHAKE, Uint8Array.of(1, 2, 3, 4, 5, 6));
  holed.give(bytes.subarray(0, 7), 1);
  holed.walk.missing(2);
  holed.give(bytes.subarray(9), 2);
  // Whatever follows would be put together wrongly.
  holed.give(bytes, 3);
  assert.deepEqual(holed.handshake, [1, 2]);
});

test('stop and reset', () => {
  const recorder = new Recorder();
  recorder.give(applicationData(10).subarray(0, 8), 1);
  recorder.walk.stop();
  recorder.give(applicationData(20), 2);
  assert.deepEqual(recorder.lengths(), [10]);
  recorder.walk.reset();
  recorder.give(applicationData(30), 3);
  assert.deepEqual(recorder.lengths(), [10, 30]);
  assert.equal(recorder.walk.recordCount, 1);
});
