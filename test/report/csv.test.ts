import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { writeConnectionsCsv, writeCsv } from '#sealert/report/csv.js';
import { anyReport } from '../support/arbitraries.js';
import { connection, fullReport, report, session, textOf } from '../support/report.js';

/// The records of RFC 4180 text; fails where it is none.
function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  let fields: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  while (field.lastIndex < text.length) {
    const at = field.lastIndex;
    const match = field.exec(text);
    assert.ok(match, `no CSV field at ${at}: ${JSON.stringify(text.slice(at, at + 40))}`);
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2]!);
    if (match[3] !== ',') {
      records.push(fields);
      fields = [];
    }
  }
  assert.deepEqual(fields, []);
  return records;
}

test('a session is a row', () => {
  assert.equal(
    textOf(writeCsv(fullReport())),
    [
      'id,verdict,carrier,product,clientGeneration,serverGeneration,clientIp,clientPort,serverIp,serverPort,' +
        'targetHost,targetPort,start,end,durationSeconds,startCaptured,connections,bytesFromClient,bytesFromServer,' +
        'packets,evidence,against,caveats,captures,encapsulation',
      '5f1c09aa42d0,confirmed,http-proxy,SoftEther VPN,5.x,5.x,10.1.0.10,36320,198.51.100.5,3128,' +
        'vpn.example.net,443,2026-11-23T01:01:58.123456Z,2026-11-23T01:03:02.623457Z,64.500001,true,1,1234567,56700,' +
        '2100,"decisive session-script: the turns of a log-in to a virtual hub, with the lengths that SoftEther gives' +
        ' them",keep-alive: no keep-alive was seen for 70 s,one direction only,capture.pcapng,',
      '',
    ].join('\r\n'),
  );
});

test('a connection is a row', () => {
  const two = session({ connections: [connection(), connection({ role: 'additional', packets: 9 })] });
  assert.equal(
    textOf(writeConnectionsCsv(report({ sessions: [two] }))),
    [
      'session,verdict,protocol,role,clientIp,clientPort,serverIp,serverPort,start,end,' +
        'bytesFromClient,bytesFromServer,packets,communityId',
      '5f1c09aa42d0,confirmed,tcp,primary,10.1.0.10,36320,203.0.113.10,443,2026-11-23T01:01:58.123456Z,' +
        '2026-11-23T01:03:02.623457Z,1234567,56700,2100,1:LQU9qZlK+B5F3KDmev6m5PMibrg=',
      '5f1c09aa42d0,confirmed,tcp,additional,10.1.0.10,36320,203.0.113.10,443,2026-11-23T01:01:58.123456Z,' +
        '2026-11-23T01:03:02.623457Z,1234567,56700,9,1:LQU9qZlK+B5F3KDmev6m5PMibrg=',
      '',
    ].join('\r\n'),
  );
});

test('what is unknown is empty, and sums run over the connections', () => {
  const icmp = session({
    client: { ip: '10.1.0.10', port: null },
    software: { product: 'SoftEther VPN', client: { generation: null }, server: { generation: '5.x' } },
    connections: [connection(), connection()],
  });
  const [header, row] = parseCsv(textOf(writeCsv(report({ sessions: [icmp] }))));
  const field = (name: string) => row![header!.indexOf(name)];
  assert.equal(field('clientPort'), '');
  assert.equal(field('clientGeneration'), '');
  assert.equal(field('targetHost'), '');
  assert.equal(field('connections'), '2');
  assert.equal(field('packets'), '4200');
});

test('a header without rows, and no row below the least verdict', () => {
  const weak = report({ sessions: [session({ verdict: 'suspected' })] });
  for (const write of [writeCsv, writeConnectionsCsv]) {
    assert.equal(parseCsv(textOf(write(report()))).length, 1);
    assert.equal(parseCsv(textOf(write(weak))).length, 1);
    assert.equal(parseCsv(textOf(write(weak, { minVerdict: 'suspected' }))).length, 2);
  }
});

test('times follow the zone', () => {
  const text = textOf(writeCsv(report({ sessions: [session()] }), { zone: 'Asia/Tokyo' }));
  assert.match(text, /,2026-11-23T10:01:58\.123456\+09:00,/);
});

test('formulas are neutralised; quotes and line ends are data', () => {
  const cases: [string, string][] = [
    ['=cmd|" /C calc"!A0', `'=cmd|" /C calc"!A0`],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['＝1', "'＝1"],
    ['a "b", c', 'a "b", c'],
    ['a\r\nb', 'a\\x0d\\x0ab'],
    ['\x1b[2J\u202e', '\\x1b[2J\\u202e'],
  ];
  for (const [host, expected] of cases) {
    const text = textOf(writeCsv(report({ sessions: [session({ target: { host, port: 1 } })] })));
    const [header, row] = parseCsv(text);
    assert.equal(row![header!.indexOf('targetHost')], expected);
  }
});

test('whatever a capture says, the rows keep their shape', () => {
  fc.assert(
    fc.property(anyReport(), (any) => {
      const records = parseCsv(textOf(writeCsv(any, { minVerdict: 'suspected' })));
      assert.equal(records.length, any.sessions.length + 1);
      for (const record of records) {
        assert.equal(record.length, 25);
        for (const field of record) assert.doesNotMatch(field, /^[=+\-@\t\r]|[\n\x1b]/);
      }
    }),
  );
});

test('the manual lists the columns in their order', () => {
  // build/test/report/ is three folders below the root.
  const manual = readFileSync(new URL('../../../docs/report.md', import.meta.url), 'utf8');
  for (const [name, write] of [
    ['`csv`, a row per session: ', writeCsv],
    ['`csv-connections`, a row per connection: ', writeConnectionsCsv],
  ] as const) {
    const [header] = parseCsv(textOf(write(report())));
    const list = manual.slice(manual.indexOf(name) + name.length).split('.')[0]!;
    assert.deepEqual(
      [...list.matchAll(/`(\w+)`/g)].map(([, column]) => column),
      header,
    );
  }
});
