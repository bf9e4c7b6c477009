import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { CLI, ended, temporaryFolder } from '../support/cli.js';
import { cutPcap, tinyPcap } from '../support/tiny-pcap.js';

// script(1) of util-linux runs a command on a terminal of its own.
const hasScript = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux');
const options = hasScript ? {} : { skip: 'needs script(1) of util-linux' };

/// Runs `sealert` on a terminal; what it wrote to both streams is `stdout`, with line feeds only.
async function onTerminal(args: string, cwd: string, env: Record<string, string> = {}) {
  const command = `stty cols 80; '${process.execPath}' '${CLI}' ${args}`;
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd,
    env: { ...process.env, TZ: 'UTC', TERM: 'xterm', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { code, stdout } = await ended(child);
  return { code, text: stdout.replaceAll('\r\n', '\n') };
}

test('the table is what a terminal gets', options, async (t) => {
  const cwd = await temporaryFolder(t);
  await writeFile(join(cwd, 'good.pcap'), tinyPcap());
  const { code, text } = await onTerminal('scan good.pcap', cwd);
  assert.equal(code, 0);
  assert.equal(
    text,
    '1 input, 2 packets, 2026/11/23 01:01:58 to 2026/11/23 01:01:59 local time\n\nNo SoftEther VPN session found.\n',
  );
});

test('the table tells what was damaged, so the messages do not', options, async (t) => {
  const cwd = await temporaryFolder(t);
  await writeFile(join(cwd, 'cut.pcap'), cutPcap());
  const { code, text } = await onTerminal('scan cut.pcap', cwd);
  assert.equal(code, 3);
  assert.equal(text.match(/damaged/g)?.length, 1);
  const log = await onTerminal('scan cut.pcap --format log', cwd);
  assert.match(log.text, /^sealert: cut\.pcap: damaged at byte 100: /);
});

test('standard input that is the terminal is refused', options, async (t) => {
  const cwd = await temporaryFolder(t);
  const { code, text } = await onTerminal('scan -', cwd);
  assert.equal(code, 2);
  assert.match(text, /^sealert: Standard input is this terminal; pipe a capture into it\. /);
});
