import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Session } from '#sealert/report/model.js';
import { analyse } from '../support/analyse.js';
import { concat, pcap, type TestFrame } from '../support/capture-builder.js';
import { hex } from '../support/frames.js';
import { samplePath, samples } from '../support/paths.js';
import { readFrames } from '../support/read.js';

/// What a mirror may do to the second copy of a frame.
const COPIES: Record<string, { afterUs: number; change: (frame: Uint8Array) => Uint8Array }> = {
  'both sides of a port': { afterUs: 0, change: (frame) => frame },
  'another VLAN': {
    afterUs: 3,
    change: (frame) => concat(frame.subarray(0, 12), hex('8100 0064'), frame.subarray(12)),
  },
  'behind a router': {
    afterUs: 700,
    change: (frame) => {
      const copy = frame.slice();
      copy.set(hex('0a0000000002 0a0000000001'));
      // The time to live, and the hop limit of IPv6.
      const at = copy[12] === 0x86 ? 21 : 22;
      copy[at] = copy[at]! - 1;
      return copy;
    },
  },
};

/// Every frame twice, in the order of the times.
function doubled(frames: readonly TestFrame[], kind: string): TestFrame[] {
  const { afterUs, change } = COPIES[kind]!;
  return frames
    .flatMap(({ bytes, timeUs, ...rest }) => [
      { ...rest, bytes, timeUs },
      { ...rest, bytes: change(bytes), timeUs: timeUs + afterUs, originalLen: undefined! },
    ])
    .map(({ bytes, timeUs }) => ({ bytes, timeUs }))
    .sort((a, b) => a.timeUs - b.timeUs);
}

/// What may differ: packets count twice, frames have other numbers and the end
/// is a copy's. UDP and ICMP flows are followed from some packet on: a copy of
/// one before it may be seen then.
function essence(session: Session): unknown {
  const { id, verdict, carrier, client, server, start, against, caveats, connections, evidence } = session;
  return {
    ...{ id, verdict, carrier, client, server, start, against, caveats },
    evidence: evidence.map(({ feature, detail }) => [feature, DATAGRAMS.includes(feature) ? '' : detail]),
    connections: connections.map(
      ({ protocol, role, communityId, start, bytesFromClient, bytesFromServer }) => [
        ...[role, communityId, start],
        ...(protocol === 'tcp' ? [bytesFromClient, bytesFromServer] : []),
      ],
    ),
  };
}

const DATAGRAMS = ['nonce-chain', 'rudp'];

function datagramBytes(sessions: readonly Session[]): number[] {
  return sessions
    .flatMap(({ connections }) => connections)
    .filter(({ protocol }) => protocol !== 'tcp')
    .map(({ bytesFromClient, bytesFromServer }) => bytesFromClient + bytesFromServer);
}

for (const kind of Object.keys(COPIES)) {
  test(`every packet twice changes no finding: ${kind}`, () => {
    for (const sample of samples()) {
      const { frames } = readFrames(readFileSync(samplePath(sample)));
      const plain = analyse(pcap(frames));
      const twice = analyse(pcap(doubled(frames, kind)));
      assert.deepEqual(twice.sessions.map(essence), plain.sessions.map(essence), sample);
      const bytes = datagramBytes(twice.sessions);
      datagramBytes(plain.sessions).forEach((expected, i) => {
        const more = bytes[i]! - expected;
        assert.ok(more >= 0 && more < 1500, `${sample}: ${more} bytes more`);
      });
      assert.equal(twice.diagnostics.gaps, plain.diagnostics.gaps, sample);
      const kinds = ({ sightings }: typeof plain) => sightings.map(({ kind, detail }) => [kind, detail]);
      assert.deepEqual(kinds(twice), kinds(plain), sample);
    }
  });
}
