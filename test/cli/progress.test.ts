import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WriteStream } from 'node:tty';
import { createProgressLine } from '#sealert/cli/progress.js';

/// A terminal that only remembers.
function fakeTerminal(): { terminal: WriteStream; text: () => string } {
  let text = '';
  const members = {
    isTTY: true,
    columns: 80,
    write: (piece: string) => {
      text += piece;
      return true;
    },
  };
  return { terminal: Object.assign(Object.create(WriteStream.prototype), members), text: () => text };
}

const now = {
  bytesRead: 3_000_000,
  bytesTotal: 9_000_000 as number | null,
  packets: 10,
  path: '/a/big.pcap',
};

test('a run of less than a second shows nothing', async () => {
  const { terminal, text } = fakeTerminal();
  const line = await createProgressLine(terminal);
  line.update(now);
  line.stop();
  assert.equal(text(), '');
});

test('speed, share and time left after a second', async (t) => {
  const { terminal, text } = fakeTerminal();
  let clockMs = 0;
  t.mock.method(performance, 'now', () => clockMs);
  const line = await createProgressLine(terminal);
  clockMs = 2000;
  line.update(now);
  line.stop();
  assert.match(text(), /33%, 1\.5 MB\/s, 4\.0 s left, big\.pcap/);
});

test('no share and no time left where the size is unknown', async (t) => {
  const { terminal, text } = fakeTerminal();
  let clockMs = 0;
  t.mock.method(performance, 'now', () => clockMs);
  const line = await createProgressLine(terminal);
  clockMs = 2000;
  line.update({ ...now, bytesTotal: null, path: '-' });
  line.stop();
  assert.match(text(), /3\.0 MB read, 1\.5 MB\/s, standard input/);
  assert.doesNotMatch(text(), /left|%/);
});

test('the path cannot drive the terminal', async (t) => {
  const { terminal, text } = fakeTerminal();
  let clockMs = 0;
  t.mock.method(performance, 'now', () => clockMs);
  const line = await createProgressLine(terminal);
  clockMs = 2000;
  line.update({ ...now, path: 'a\x1b]0;owned\x07\u202e' });
  line.stop();
  assert.match(text(), /a\\x1b\]0;owned\\x07\\u202e/);
});
