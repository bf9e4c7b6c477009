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

/// The row without the outer addresses of the other version, which stay beside the inner ones.
function withoutOuter(row: string, v6: boolean): string {
  const fields = row.split('\t');
  fields.splice(v6 ? 0 : 2, 2, '', '');
  return fields.join('\t');
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

/// Small enough that no length looks like an EtherType.
function isSmallTcp({ bytes }: { bytes: Uint8Array }): boolean {
  if (bytes.length > 1400) return false;
  return bytes[12] === 0x86 ? bytes[20] === 6 : bytes[12] === 8 && bytes[13] === 0 && bytes[23] === 6;
}

test('the innermost packet of every wrapper, as tshark finds it', (t) => {
  if (spawnSync('tshark', ['--version']).error) {
    t.diagnostic('SKIPPED: tshark is not installed: nothing was compared with Wireshark itself');
    t.skip();
    return;
  }
  for (const sample of ['direct-quiet', 'ipv6']) {
    const tcpFrames = readFrames(readFileSync(samplePath(sample))).frames.filter(isSmallTcp);
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
    assert.equal(rows.length, expected.length);
    const differing = expected.flatMap(([name, row], i) =>
      withoutOuter(rows[i]!, row.startsWith('\t')) === row ? [] : [`${name}: ${rows[i]} there, ${row} here`],
    );
    assert.deepEqual([...new Set(differing)], []);
  }
});
