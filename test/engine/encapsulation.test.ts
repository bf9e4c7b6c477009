import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Encapsulation, Session } from '#sealert/report/model.js';
import { analyse } from '../support/analyse.js';
import { pcap, type TestFrame } from '../support/capture-builder.js';
import { samplePath } from '../support/paths.js';
import { readFrames } from '../support/read.js';
import { fragmented, WRAPPERS, type Wrapper, wrapped } from '../support/wrap.js';

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
