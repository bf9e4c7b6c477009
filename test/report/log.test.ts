import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { logLine, writeLog } from '#sealert/report/log.js';
import type { Carrier } from '#sealert/report/model.js';
import { anyReport } from '../support/arbitraries.js';
import { report, session, textOf } from '../support/report.js';

test('the line of 2004', () => {
  const old = session({
    software: { product: 'SoftEther 1.0', client: { generation: null }, server: { generation: null } },
    client: { ip: '192.168.126.229', port: 1027 },
    server: { ip: '61.197.235.210', port: 7777 },
    start: '2004-08-28T11:01:00.999999Z',
  });
  assert.equal(
    logLine(old, 'Asia/Tokyo'),
    '[2004/08/28 20:01:00] SoftEther 1.0 TCP Connection Detected (client 192.168.126.229:1027, server 61.197.235.210:7777)',
  );
});

test('every carrier has its name', () => {
  const names: Record<Carrier, string> = {
    tcp: 'TCP',
    'http-proxy': 'HTTP Proxy',
    socks4: 'SOCKS4 Proxy',
    socks5: 'SOCKS5 Proxy',
    ssh: 'SSH',
    udp: 'UDP',
    icmp: 'ICMP',
    dns: 'DNS',
  };
  for (const [carrier, name] of Object.entries(names)) {
    assert.equal(
      logLine(session({ carrier: carrier as Carrier }), 'UTC'),
      `[2026/11/23 01:01:58] SoftEther VPN 5.x ${name} Connection Detected (client 10.1.0.10:36320, server 203.0.113.10:443)`,
    );
  }
});

test('the generation appears where both sides show the same', () => {
  const line = (client: '4.x' | '5.x' | null, server: '4.x' | '5.x' | null) =>
    logLine(
      session({
        software: {
          product: 'SoftEther VPN',
          client: { generation: client },
          server: { generation: server },
        },
      }),
      'UTC',
    );
  assert.match(line('4.x', '4.x'), / SoftEther VPN 4\.x TCP /);
  for (const text of [line('4.x', '5.x'), line(null, '5.x'), line('5.x', null), line(null, null)]) {
    assert.match(text, / SoftEther VPN TCP /);
  }
});

test('a proxy line names the target', () => {
  const proxied = session({
    carrier: 'http-proxy',
    server: { ip: '198.51.100.5', port: 3128 },
    target: { host: '203.0.113.10', port: 443 },
  });
  assert.ok(
    logLine(proxied).endsWith(
      ' HTTP Proxy Connection Detected (client 10.1.0.10:36320, server 198.51.100.5:3128, target 203.0.113.10:443)',
    ),
  );
  const overV6 = logLine(session({ ...proxied, target: { host: '2001:db8::9', port: 443 } }));
  assert.ok(overV6.endsWith(', target [2001:db8::9]:443)'));
});

test('IPv6 stands in brackets, ICMP has no ports', () => {
  const v6 = session({
    client: { ip: '2001:db8::1', port: 50000 },
    server: { ip: '2001:db8::2', port: 443 },
  });
  assert.ok(logLine(v6).endsWith('(client [2001:db8::1]:50000, server [2001:db8::2]:443)'));
  const icmp = session({
    carrier: 'icmp',
    client: { ip: '10.1.0.10', port: null },
    server: { ip: '2001:db8::2', port: null },
  });
  assert.ok(logLine(icmp).endsWith(' ICMP Connection Detected (client 10.1.0.10, server [2001:db8::2])'));
});

test('one line per session that is sure enough', () => {
  const all = report({
    sessions: [session(), session({ verdict: 'suspected' }), session({ verdict: 'likely' })],
  });
  assert.equal(textOf(writeLog(all)).match(/\n/g)?.length, 2);
  assert.equal(textOf(writeLog(all, { minVerdict: 'suspected' })).match(/\n/g)?.length, 3);
  assert.equal(textOf(writeLog(all, { minVerdict: 'confirmed' })).match(/\n/g)?.length, 1);
  assert.equal(textOf(writeLog(report())), '');
});

test('no captured text reaches the log unescaped', () => {
  const hostile = session({
    target: { host: '\x1b]0;owned\x07\u202e\n[2004/01/01 00:00:00] forged', port: 1 },
  });
  assert.ok(
    logLine(hostile).endsWith('target [\\x1b]0;owned\\x07\\u202e\\x0a[2004/01/01 00:00:00] forged]:1)'),
  );
  fc.assert(
    fc.property(anyReport(), (any) => {
      const text = textOf(writeLog(any, { minVerdict: 'suspected' }));
      assert.doesNotMatch(text, /(?!\n)[\p{C}\p{Zl}\p{Zp}]/u);
      assert.equal(text.split('\n').length, any.sessions.length + 1);
    }),
  );
});
