import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { addressText, communityId, flowKey, inOrder, sessionId } from '#sealert/detect/identity.js';
import { rfc3339 } from '#sealert/detect/rfc3339.js';
import type { Layer } from '#sealert/wire/layers.js';
import fc from '../support/property.js';

const end = (port: number, ...address: number[]) => ({ address: Uint8Array.from(address), port });

test('Community ID: the published example, and our own of a lab session', () => {
  // community-id-spec, baseline: 128.232.110.120:34855 -> 66.35.250.204:80, TCP, seed 0.
  const a = end(34_855, 128, 232, 110, 120);
  const b = end(80, 66, 35, 250, 204);
  assert.equal(communityId(6, a, b), '1:LQU9qZlK+B5F3KDmev6m5PMibrg=');
  assert.equal(communityId(6, b, a), '1:LQU9qZlK+B5F3KDmev6m5PMibrg=');
});

test('Community ID: as Node computes it, the same from both sides', () => {
  const anyEnds = fc.constantFrom(4, 16).chain((length) => {
    const anyEnd = fc.record({
      address: fc.uint8Array({ minLength: length, maxLength: length, max: 1 }),
      port: fc.nat(65_535),
    });
    return fc.tuple(anyEnd, anyEnd);
  });
  fc.assert(
    fc.property(anyEnds, fc.constantFrom(6, 17), ([a, b], protocol) => {
      const [first, second] = [a, b].sort(
        (x, y) => Buffer.compare(x.address, y.address) || x.port - y.port,
      ) as [typeof a, typeof b];
      const ports = Buffer.alloc(4);
      ports.writeUInt16BE(first.port, 0);
      ports.writeUInt16BE(second.port, 2);
      const hash = createHash('sha1')
        .update(Uint8Array.of(0, 0))
        .update(first.address)
        .update(second.address);
      const expected = `1:${hash.update(Uint8Array.of(protocol, 0)).update(ports).digest('base64')}`;
      assert.equal(communityId(protocol, a, b), expected);
      assert.equal(communityId(protocol, b, a), expected);
    }),
  );
});

test("a session's name depends on its start and its ends, in their order", () => {
  const [client, server] = [end(50_001, 10, 1, 0, 10), end(443, 203, 0, 113, 10)];
  const name = sessionId(1_795_395_600_000_000, 6, client, server);
  assert.match(name, /^[0-9a-f]{12}$/);
  const others = [
    sessionId(1_795_395_600_000_001, 6, client, server),
    sessionId(1_795_395_600_000_000, 17, client, server),
    sessionId(1_795_395_600_000_000, 6, server, client),
    sessionId(1_795_395_600_000_000, 6, { ...client, port: 50_002 }, server),
  ];
  assert.equal(new Set([name, ...others]).size, 5);
});

test('addresses as text', () => {
  const six = (...groups: number[]) => Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 255]));
  assert.equal(addressText(Uint8Array.of(203, 0, 113, 10)), '203.0.113.10');
  assert.equal(addressText(six(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x443)), '2001:db8::443');
  assert.equal(addressText(six(0x2001, 0xdb8, 0, 1, 1, 1, 1, 1)), '2001:db8:0:1:1:1:1:1');
  assert.equal(addressText(new Uint8Array(16)), '::');
});

test('times as text: the date and second that Node gives, and the microseconds', () => {
  // As far as microseconds are exact: the years 1684 to 2255.
  const anyTime = fc.oneof(fc.maxSafeInteger(), fc.nat(4_294_967_295e6));
  fc.assert(
    fc.property(anyTime, (timeUs) => {
      const ms = Math.floor(timeUs / 1000);
      const us = timeUs - ms * 1000;
      const expected = `${new Date(ms).toISOString().slice(0, -1)}${String(us).padStart(3, '0')}Z`;
      assert.equal(rfc3339(timeUs), expected);
    }),
    { numRuns: 1000 },
  );
});

test('flows with the same ends and times in two networks are two, and in one order', () => {
  const a = { address: Uint8Array.of(10, 0, 0, 1), port: 443 };
  const b = { address: Uint8Array.of(10, 0, 0, 2), port: 50_000 };
  const flow = (...ids: number[]) => {
    const layers = ids.map((id): Layer => ({ kind: 'vxlan', id, source: null, destination: null }));
    return { input: 0, firstUs: 1, client: a, server: b, layers };
  };
  const [plain, first, second] = [flow(), flow(1), flow(2)];
  assert.equal(new Set([plain, first, second].map(flowKey)).size, 3);
  const { client: server, server: client, ...rest } = first;
  assert.equal(flowKey({ ...rest, client, server }), flowKey(first));
  const sorted = [plain, first, second];
  assert.deepEqual(
    inOrder([second, plain, first], (found) => found),
    sorted,
  );
});
