import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFlowName } from '#sealert/detect/flow-name.js';
import { addressText } from '#sealert/detect/identity.js';

function text(name: string): string | null {
  const parsed = parseFlowName(name);
  if (parsed === null) return null;
  return [
    parsed.protocol ?? 'any',
    ...parsed.ends.map(({ address, port }) => `${addressText(address)} ${port}`),
  ].join(', ');
}

test('flows as people write them', () => {
  const cases: [string, string | null][] = [
    ['tcp 10.1.0.10:36320 203.0.113.10:443', '6, 10.1.0.10 36320, 203.0.113.10 443'],
    ['UDP 10.1.0.10:1 -> 203.0.113.10:2', '17, 10.1.0.10 1, 203.0.113.10 2'],
    ['10.1.0.10:1 <-> 203.0.113.10:2', 'any, 10.1.0.10 1, 203.0.113.10 2'],
    ['[2001:db8::1]:1 [2001:db8::2]:443', 'any, 2001:db8::1 1, 2001:db8::2 443'],
    ['icmp 10.1.0.10 203.0.113.10', '1, 10.1.0.10 0, 203.0.113.10 0'],
    ['icmp 2001:db8::1 2001:db8::2', '1, 2001:db8::1 0, 2001:db8::2 0'],
    ['icmp [2001:db8::1] [2001:db8::2]', '1, 2001:db8::1 0, 2001:db8::2 0'],
    ['', null],
    ['tcp 10.1.0.10 203.0.113.10', null],
    ['tcp 10.1.0.10:1', null],
    ['10.1.0.10:1 [2001:db8::2]:443', null],
    ['10.1.0.10:70000 203.0.113.10:1', null],
    ['10.1.0.300:1 203.0.113.10:1', null],
    ['a.example:1 b.example:2', null],
  ];
  for (const [name, expected] of cases) assert.equal(text(name), expected, name);
});
