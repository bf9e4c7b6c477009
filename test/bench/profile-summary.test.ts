/// From V8's samples to shares of time by function and by folder.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { summarise } from '../../scripts/bench/profile-summary.js';

const FRAMES: readonly (readonly [functionName: string, url: string])[] = [
  ['(idle)', ''],
  ['push', 'file:///x/dist/engine.js'],
  ['parse', 'file:///x/dist/capture/pcap.js'],
  ['', 'file:///x/dist/capture/reader.js'],
  ['parse', 'file:///x/node_modules/ipaddr.js/lib/ipaddr.js'],
  ['load', 'node:internal/modules/esm/load'],
  ['(garbage collector)', ''],
  ['writeString', ''],
];

test('self time by function and by folder; idle time counts for nothing', () => {
  const nodes = FRAMES.map(([functionName, url], i) => ({
    id: i + 1,
    callFrame: { functionName, url, lineNumber: 9 },
  }));
  const samples = [1, 2, 3, 4, 3, 5, 6, 7, 8];
  const timeDeltas = [1000, 10, 20, 5, 20, 15, 10, 15, 5];
  const { functions, folders } = summarise({ nodes, samples, timeDeltas });
  assert.deepEqual(Object.fromEntries(functions), {
    'parse capture/pcap.js:10': 0.4,
    'parse ipaddr.js/lib/ipaddr.js:10': 0.15,
    '(garbage collector)': 0.15,
    'push engine.js:10': 0.1,
    'load node:internal/modules/esm/load:10': 0.1,
    '(anonymous) capture/reader.js:10': 0.05,
    writeString: 0.05,
  });
  assert.equal(functions[0]![0], 'parse capture/pcap.js:10');
  assert.deepEqual(Object.fromEntries(folders), {
    capture: 0.45,
    packages: 0.15,
    '(garbage collector)': 0.15,
    'engine.js': 0.1,
    'JavaScript of Node.js': 0.1,
    'C++ of Node.js': 0.05,
  });
});
