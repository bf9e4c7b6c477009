import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { writeTable } from '#sealert/report/table.js';
import { displayWidth } from '#sealert/report/text.js';
import type { WriteOptions } from '#sealert/report/writer.js';
import { anyReport } from '../support/arbitraries.js';
import { fullReport, input, report, session, sighting, textOf, unreadableInput } from '../support/report.js';

const table = (of: Parameters<typeof writeTable>[0], options: WriteOptions = {}) =>
  textOf(writeTable(of, { zone: 'UTC', ...options }));

test('a report at 80 columns', () => {
  assert.equal(
    table(fullReport(), { minVerdict: 'suspected' }),
    `2 inputs, 12,345 packets, 2026/11/23 01:00:00 to 2026/11/23 01:10:00 UTC

┌────────────┬───────────┬───────────────────────┬───────────────┬─────────────┐
│ Start      │ Verdict   │ Client                │ How           │ Connections │
│            │ Duration  │ Server                │ Software      │ Bytes       │
├────────────┼───────────┼───────────────────────┼───────────────┼─────────────┤
│ 2026/11/23 │ confirmed │ 10.1.0.10:36320       │ HTTP Proxy    │ 1           │
│ 01:01:58   │ 1m 5s     │ 198.51.100.5:3128     │ SoftEther VPN │ 1.2 MB up   │
│            │           │ for                   │ 5.x           │ 57 kB down  │
│            │           │ vpn.example.net:443   │               │             │
├────────────┴───────────┴───────────────────────┴───────────────┴─────────────┤
│ Session 5f1c09aa42d0                                                         │
│ Because: the turns of a log-in to a virtual hub, with the lengths that       │
│   SoftEther gives them (frames 4, 6, 8, 11, ... of capture.pcapng)           │
│ Against: no keep-alive was seen for 70 s                                     │
│ Caveat: one direction only                                                   │
├────────────┬───────────┬───────────────────────┬───────────────┬─────────────┤
│ 2026/11/23 │ suspected │ 10.1.0.10             │ ICMP          │ 1           │
│ 01:01:58   │ 1m 5s     │ 203.0.113.10          │ SoftEther VPN │ 1.2 MB up   │
│            │           │                       │ (client 4.x,  │ 57 kB down  │
│            │           │                       │ server        │             │
│            │           │                       │ unknown)      │             │
├────────────┴───────────┴───────────────────────┴───────────────┴─────────────┤
│ Session 0a4be7715c9d                                                         │
│ Because: the turns of a log-in to a virtual hub, with the lengths that       │
│   SoftEther gives them (frames 4, 6, 8, 11, ... of capture.pcapng)           │
└──────────────────────────────────────────────────────────────────────────────┘

SoftEther, but no VPN session:
- 2026/11/23 01:00:00 nat-traversal 10.1.0.10:40001 to 203.0.113.77:5004, 21
  times: a server registers itself for NAT traversal

capture.pcapng: damaged at byte 1,999,000: the file ends inside a block. 1,000
  bytes could not be read.
capture.pcapng: damaged in 2 more places, 70 bytes could not be read there.
  12,345 packets could be read and analysed.
notes.txt: found text, expected a capture.
capture.pcapng: the recording side lost 3 packets.
capture.pcapng: the clock jumps by -3,601 s at frame 7; times across it are not
  to be trusted.
capture.pcapng: the limit interfaces was hit 3 times (docs/limits.md).
3 packets could not be decoded.
Of 1 TCP flow only one direction was captured.

2 SoftEther VPN sessions: 1 confirmed, 1 suspected. Some input could not be read
  in full.
`,
  );
});

test('a report at 120 columns', () => {
  assert.equal(
    table(report({ sessions: [session()] }), { columns: 120 }),
    `1 input, 12,345 packets, 2026/11/23 01:00:00 to 2026/11/23 01:10:00 UTC

┌─────────────────────┬───────────┬──────────────────────────────────────────────────┬───────────────────┬─────────────┐
│ Start               │ Verdict   │ Client                                           │ How               │ Connections │
│                     │ Duration  │ Server                                           │ Software          │ Bytes       │
├─────────────────────┼───────────┼──────────────────────────────────────────────────┼───────────────────┼─────────────┤
│ 2026/11/23 01:01:58 │ confirmed │ 10.1.0.10:36320                                  │ TCP               │ 1           │
│                     │ 1m 5s     │ 203.0.113.10:443                                 │ SoftEther VPN 5.x │ 1.2 MB up   │
│                     │           │                                                  │                   │ 57 kB down  │
├─────────────────────┴───────────┴──────────────────────────────────────────────────┴───────────────────┴─────────────┤
│ Session 5f1c09aa42d0                                                                                                 │
│ Because: the turns of a log-in to a virtual hub, with the lengths that SoftEther gives them (frames 4, 6, 8, 11,     │
│   ...)                                                                                                               │
└──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────┘

1 SoftEther VPN session: 1 confirmed.
`,
  );
});

const closing = (text: string) => text.trimEnd().split('\n\n').at(-1)!.replaceAll('\n  ', ' ');

test('the closing line', () => {
  assert.equal(closing(table(report())), 'No SoftEther VPN session found.');
  const weak = report({ sessions: [session({ verdict: 'suspected' })] });
  assert.equal(
    closing(table(weak)),
    'No SoftEther VPN session found. Not shown: 1 suspected; --min-verdict suspected shows them.',
  );
  const nothing = report({ inputs: [unreadableInput('a', 'it is missing')] });
  assert.equal(closing(table(nothing)), 'Nothing could be read. Some input could not be read in full.');
  const interrupted = report();
  interrupted.run.complete = false;
  assert.equal(
    closing(table(interrupted)),
    'No SoftEther VPN session found. The run was interrupted: this covers what had been read.',
  );
});

test('files that are no captures are counted', () => {
  const mixed = report();
  mixed.run.otherFiles = 2;
  assert.match(table(mixed), /^1 input \(and 2 other files that are no capture\), 12,345 packets/);
});

test('what limits the findings is said', () => {
  const limited = report();
  limited.diagnostics.cutPackets = 1000;
  limited.diagnostics.cutBytes = 1_200_000;
  limited.diagnostics.evictedFlows = 1;
  const text = table(limited);
  assert.match(text, /1,000 packets of 12,345 were recorded cut off \(1\.2 MB missing\)\./);
  assert.match(text, /1 flow had to be given up early because too many were open\./);
});

test('only the first sightings are listed', () => {
  const many = report({ sightings: Array.from({ length: 13 }, () => sighting({ count: 1 })) });
  const text = table(many);
  assert.equal(text.match(/^- 2026/gm)?.length, 10);
  assert.match(text, /^- and 3 more, which --format json lists$/m);
});

test('long IPv6 ends are wrapped, not cut', () => {
  const ip = '2001:db8:85a3:1234:5678:8a2e:370:7334';
  const text = table(report({ sessions: [session({ client: { ip, port: 65535 } })] }));
  const column = text.split('\n').map((line) => line.split('│')[3]?.trim() ?? '');
  assert.ok(column.join('').includes(`[${ip}]:65535`));
});

test('the strongest evidence is the reason, whatever its place', () => {
  const [weak, strong] = (['supporting', 'strong'] as const).map((strength) => ({
    feature: 'f',
    detail: `the ${strength} one`,
    frames: [{ input: 0, frame: 7 }],
    strength,
  }));
  const text = table(report({ sessions: [session({ evidence: [weak!, strong!] })] }));
  assert.match(text, /Because: the strong one \(frame 7\); also f/);
});

test('colours only on request, and only on the verdict', () => {
  const one = report({ sessions: [session()] });
  const plain = table(one);
  const colored = table(one, { color: true });
  assert.doesNotMatch(plain, /\x1b/);
  assert.equal(colored.match(/\x1b\[31mconfirmed\x1b\[39m/g)?.length, 1);
  assert.equal(colored.replaceAll(/\x1b\[\d+m/g, ''), plain);
});

test('lines of ASCII for terminals that know no others', () => {
  const text = table(report({ sessions: [session()] }), { ascii: true });
  assert.doesNotMatch(text, /[^\n -~]/);
  assert.match(text, /^\+-+\+-+\+/m);
});

test('the head of the box comes back after a hundred sessions', () => {
  const text = table(report({ sessions: Array.from({ length: 101 }, () => session()) }));
  assert.equal(text.match(/│ Start /g)?.length, 2);
});

test('whatever a capture says, there are no control characters', () => {
  fc.assert(
    fc.property(anyReport(), fc.boolean(), (any, color) => {
      const text = table(any, { color, minVerdict: 'suspected' });
      const bare = color ? text.replaceAll(/\x1b\[(?:31|33|36|39)m/g, '') : text;
      assert.doesNotMatch(bare, /(?!\n)[\p{C}\p{Zl}\p{Zp}]/u);
    }),
  );
});

test('lines fit, and the lines of the box are straight', () => {
  fc.assert(
    fc.property(
      anyReport(fc.string({ maxLength: 300 })),
      fc.constantFrom(80, 81, 120, 300),
      (any, columns) => {
        for (const line of table(any, { columns, minVerdict: 'suspected' }).split('\n')) {
          assert.ok(line.length <= columns, line);
          if (/^[┌├│└]/.test(line)) assert.equal(line.length, columns, line);
        }
      },
    ),
  );
});

test('wide characters keep the box straight', () => {
  const path = '記録/ファイル.pcap';
  const text = table(
    report({
      inputs: [input({ path }), input()],
      sessions: [session({ target: { host: '日本.example', port: 1 } })],
    }),
  );
  const box = text.split('\n').filter((line) => /^[┌├│└]/.test(line));
  for (const line of box) assert.equal(displayWidth(line), 80, line);
});
