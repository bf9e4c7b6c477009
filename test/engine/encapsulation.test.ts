import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Encapsulation, Session } from '#sealert/report/model.js';
import { analyse } from '../support/analyse.js';
import { concat, pcap, type TestFrame } from '../support/capture-builder.js';
import { ADDRESSES, ethernet, hex, ipv4, udp } from '../support/frames.js';
import { samplePath } from '../support/paths.js';
import { readFrames } from '../support/read.js';
import { fragmented, takeApart, WRAPPERS, type Wrapper, wrapped } from '../support/wrap.js';

/// TCP with UDP acceleration; IPv6; R-UDP over ICMP; inside SSH.
const SAMPLES = ['udp-accel-late', 'ipv6', 'rudp-icmp', 'ssh-L-22.client'];

function framesOf(sample: string): TestFrame[] {
  return readFrames(readFileSync(samplePath(sample))).frames;
}

function wrapAll(frames: readonly TestFrame[], wrapper: Wrapper): TestFrame[] {
  return frames.map(({ bytes, timeUs }) => ({ timeUs, bytes: wrapped(wrapper, bytes) }));
}

function without(session: Session): Omit<Session, 'encapsulation'> {
  const { encapsulation: _, ...rest } = session;
  return rest;
}

function names(layers: readonly Encapsulation[] = []): string[] {
  return layers.map(({ kind, id, source, destination }) =>
    [kind, id, source, destination].filter((part) => part !== undefined).join(' '),
  );
}

for (const sample of SAMPLES) {
  const frames = framesOf(sample);
  const plain = analyse(pcap(frames)).sessions;

  test(`${sample}: the same sessions and frame numbers inside everything`, () => {
    assert.ok(plain.length > 0);
    for (const wrapper of WRAPPERS) {
      const { sessions } = analyse(pcap(wrapAll(frames, wrapper), { linkType: wrapper.linkType }));
      assert.deepEqual(sessions.map(without), plain, wrapper.name);
      for (const { encapsulation } of sessions) {
        const found = names(encapsulation).map(sideless);
        assert.deepEqual(found, wrapper.layers.map(sideless), wrapper.name);
      }
    }
  });
}

/// A layer without what differs between the directions of a tunnel.
function sideless(layer: string): string {
  const [kind, ...rest] = layer.split(' ');
  const addresses = rest.filter((part) => /[.:]/.test(part)).sort();
  const numbers = kind === 'gtp-u' ? [] : rest.filter((part) => !/[.:]/.test(part));
  return [kind, ...numbers, ...addresses].join(' ');
}

test('the report says what was around the packets, from the outside in', () => {
  const wrapper = WRAPPERS.find(({ name }) => name === 'VXLAN in VLAN in VXLAN')!;
  const { sessions } = analyse(pcap(wrapAll(framesOf('udp-accel-late'), wrapper)));
  assert.deepEqual(sessions[0]!.encapsulation, [
    { kind: 'vxlan', id: 1, source: '192.0.2.1', destination: '198.51.100.2' },
    { kind: 'vlan', id: 5 },
    { kind: 'vxlan', id: 2, source: '192.0.2.1', destination: '198.51.100.2' },
  ]);
});

/// Frame numbers aside: they are those of the last fragments.
function unnumbered(session: Session): unknown {
  const { evidence, ...rest } = without(session) as Session;
  return { ...rest, evidence: evidence.map(({ feature, detail }) => ({ feature, detail })) };
}

for (const name of ['VXLAN', 'ERSPAN II', 'GTP-U', 'IP in IP', 'VXLAN in VLAN in VXLAN']) {
  test(`packets of a tunnel in fragments, also of fragments: ${name}`, () => {
    const wrapper = WRAPPERS.find((one) => one.name === name)!;
    for (const sample of SAMPLES) {
      const frames = framesOf(sample);
      let id = 0;
      const broken = frames.flatMap(({ bytes, timeUs }) => {
        const inner = fragmented(bytes, 1000, ++id);
        const outer = inner.flatMap((frame) => fragmented(wrapped(wrapper, frame), 600, ++id));
        // The last one first, and every fragment again.
        if (outer.length > 1) outer.push(...outer.reverse());
        return outer.map((frame) => ({ timeUs, bytes: frame }));
      });
      const { sessions, diagnostics } = analyse(pcap(broken));
      assert.deepEqual(sessions.map(unnumbered), analyse(pcap(frames)).sessions.map(unnumbered), sample);
      assert.ok(diagnostics.fragments.reassembled > 0);
      assert.equal(diagnostics.fragments.incomplete + diagnostics.fragments.givenUp, 0);
      assert.equal(diagnostics.undecodable.ip, undefined);
    }
  });
}

/// The frame in the network of a tenant.
const vxlan = (frame: Uint8Array, network: number) =>
  ethernet(
    ipv4(ADDRESSES, udp(50_123, 4789, concat(hex('08000000'), Uint8Array.of(0, 0, network, 0), frame))),
  );

const ROOMS: [name: string, wrap: (frame: Uint8Array, tenant: number) => Uint8Array][] = [
  ['VXLAN', vxlan],
  [
    'VXLAN, VLANs inside',
    (frame, tenant) => vxlan(concat(frame.subarray(0, 12), hex('81000064'), frame.subarray(12)), tenant),
  ],
];

for (const [name, wrap] of ROOMS) {
  test(`two tenants with the same addresses and ports are two sessions: ${name}`, () => {
    // Several connections; UDP acceleration.
    for (const sample of ['direct-tcp8', 'udp-accel-late']) {
      const frames = framesOf(sample);
      const plain = analyse(pcap(frames)).sessions.map(unnumbered);
      // The same times make it hardest.
      const both = frames.flatMap(({ bytes, timeUs }) =>
        [1, 2].map((tenant) => ({ timeUs, bytes: wrap(bytes, tenant) })),
      );
      const { sessions } = analyse(pcap(both));
      for (const tenant of [1, 2]) {
        const own = sessions.filter(({ encapsulation }) => encapsulation![0]!.id === tenant);
        assert.deepEqual(own.map(unnumbered), plain, sample);
      }
      assert.equal(sessions.length, 2 * plain.length);
    }
  });
}

test('numbers that differ between the directions do not split a flow', () => {
  const frames = framesOf('direct-quiet');
  const plain = analyse(pcap(frames)).sessions;
  const asymmetric = frames.map(({ bytes, timeUs }) => ({
    timeUs,
    bytes: concat(
      bytes.subarray(0, 12),
      hex(takeApart(bytes).forth ? '81000064' : '810000c8'),
      bytes.subarray(12),
    ),
  }));
  assert.deepEqual(analyse(pcap(asymmetric)).sessions.map(without), plain);
});
