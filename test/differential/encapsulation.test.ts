/// Link layers and encapsulations as Wireshark reads them.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { addressText } from '#sealert/detect/identity.js';
import { decodeFrame } from '#sealert/wire/decode.js';
import { Packet, STOP_NONE } from '#sealert/wire/packet.js';
import { PcapngBuilder } from '../support/capture-builder.js';
import { samplePath } from '../support/paths.js';
import { readFrames } from '../support/read.js';
import { WRAPPERS, wrapped } from '../support/wrap.js';

const FIELDS = ['ip.src', 'ip.dst', 'ipv6.src', 'ipv6.dst', 'tcp.srcport', 'tcp.dstport', 'tcp.len'];

/// The innermost of each field, as tshark sees them.
function asTshark(path: string): string[] {
  const columns = FIELDS.flatMap((field) => ['-e', field]);
  const settings = ['-o', 'ip.defragment:FALSE', '-d', 'udp.port==8472,vxlan'];
  const args = ['-n', '-r', path, ...settings, '-T', 'fields', '-E', 'occurrence=l', ...columns];
  const { stdout } = spawnSync('tshark', args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  return stdout.split('\n').slice(0, -1);
}

function ours(bytes: Uint8Array, linkType: number): string {
  const packet = new Packet();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const stop = decodeFrame(view, 0, bytes.length, bytes.length, linkType, packet);
  const at = packet.addressesAt;
  const size = packet.version === 6 ? 16 : 4;
  const ends = [bytes.subarray(at, at + size), bytes.subarray(at + size, at + 2 * size)].map(addressText);
  assert.equal(stop, STOP_NONE);
  assert.equal(packet.protocol, 6);
  const addresses = packet.version === 6 ? ['', '', ...ends] : [...ends, '', ''];
  return [...addresses, packet.sourcePort, packet.destinationPort, packet.payloadLen].join('\t');
}

test('the innermost packet of every wrapper, as tshark finds it', (t) => {
  if (spawnSync('tshark', ['--version']).error) {
    t.diagnostic('SKIPPED: tshark is not installed: nothing was compared with Wireshark itself');
    t.skip();
    return;
  }
  for (const sample of ['direct-quiet', 'ipv6']) {
    const tcpFrames = readFrames(readFileSync(samplePath(sample))).frames.filter(({ bytes }) =>
      bytes[12] === 0x86 ? bytes[20] === 6 : bytes[12] === 8 && bytes[13] === 0 && bytes[23] === 6,
    );
    const wrappers = WRAPPERS.filter(({ withoutTshark }) => withoutTshark === undefined);
    const builder = new PcapngBuilder().section();
    for (const { linkType } of wrappers) builder.interface({ linkType });
    const expected: [name: string, row: string][] = [];
    wrappers.forEach((wrapper, i) => {
      for (const { bytes } of tcpFrames.slice(0, 6)) {
        const frame = wrapped(wrapper, bytes);
        builder.packet(frame, { interface: i });
        expected.push([wrapper.name, ours(frame, wrapper.linkType)]);
      }
    });
    const folder = mkdtempSync(join(tmpdir(), 'sealert-'));
    writeFileSync(join(folder, 'wrapped.pcapng'), builder.bytes());
    const rows = asTshark(join(folder, 'wrapped.pcapng'));
    rmSync(folder, { recursive: true });
    const outer6 = (row: string) => row.split('\t').slice(2, 4).join('') !== '';
    assert.equal(rows.length, expected.length);
    const differing = expected.flatMap(([name, row], i) => {
      // The last occurrence of an outer IPv6 address stays beside an inner IPv4 one.
      const theirs =
        sample === 'ipv6' || !outer6(rows[i]!)
          ? rows[i]!
          : rows[i]!.split('\t').with(2, '').with(3, '').join('\t');
      const mine = sample === 'ipv6' ? theirs.split('\t').slice(0, 2).join('\t') + row.slice(1) : row;
      return theirs === mine ? [] : [`${name}: ${theirs} there, ${mine} here`];
    });
    assert.deepEqual([...new Set(differing)], []);
  }
});
