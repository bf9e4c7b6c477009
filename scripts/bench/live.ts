/** Live throughput: replays a benchmark input into a device of a network namespace at rising rates and
 * counts what the watching `sealert` got. Linux, root, tcpreplay. README.md says how to read it. */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { prepareInput } from './inputs.js';

const { values } = parseArgs({
  options: {
    rates: { type: 'string', default: '100,250,500,1000,2000' },
    seconds: { type: 'string', default: '10' },
    tool: { type: 'string', default: 'dumpcap' },
    input: { type: 'string' },
    live: { type: 'string', multiple: true, default: [] },
  },
});

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** Of the input that is replayed again and again. */
const INPUT_BYTES = 100_000_000;

const NAMESPACE = `sealert-bench-${process.pid}`;
const LONGEST_MTU = '65535';

const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8' });
const inside = (...command: string[]) => ['netns', 'exec', NAMESPACE, ...command];

interface Measured {
  sent: number;
  sentMbit: number;
  captured: number;
  dropped: { kernel: number; tool: number };
  cpuSeconds: number;
  code: number;
}

async function measure(capture: string, mbit: number, folder: string): Promise<Measured> {
  const status = join(folder, `status-${mbit}`);
  const report = join(folder, `report-${mbit}`);
  const cli = join(ROOT, 'dist', 'cli.js');
  const args = ['live', 'cap0', '--no-log', '--capture-tool', values.tool, '--status', status];
  const outputs = ['--format', 'json', '-o', report];
  const live = spawn('ip', inside(process.execPath, cli, ...args, ...outputs, ...values.live), {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  for (;;) if (String((await once(live.stderr!, 'data'))[0]).includes('Starting Capture')) break;
  const rate = ['--mbps', String(mbit), '--duration', values.seconds, '--loop', '1000000', '-K'];
  const said = ip(...inside('tcpreplay', '-q', '-i', 'out0', ...rate, capture));
  // What the tool holds back comes within a second.
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const cpuSeconds = cpuSecondsOf(live.pid!);
  live.kill('SIGINT');
  const [code] = await once(live, 'close');
  const last = JSON.parse(readFileSync(status, 'utf8').trim().split('\n').at(-1)!);
  const sent = /Actual: (\d+) packets/.exec(said);
  const sentMbit = /([\d.]+) Mbps/.exec(said);
  return {
    sent: Number(sent?.[1]),
    sentMbit: Number(sentMbit?.[1]),
    captured: last.packets,
    dropped: last.dropped,
    cpuSeconds,
    code,
  };
}

/** User and system time of a process, from /proc (in ticks of 10 ms). */
function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const folder = mkdtempSync(join(tmpdir(), 'sealert-live-'));
ip('netns', 'add', NAMESPACE);
try {
  for (const devices of ['all', 'default']) {
    ip(...inside('sysctl', '-qw', `net.ipv6.conf.${devices}.disable_ipv6=1`));
  }
  ip('-n', NAMESPACE, 'link', 'add', 'out0', 'type', 'veth', 'peer', 'name', 'cap0');
  for (const device of ['out0', 'cap0']) ip('-n', NAMESPACE, 'link', 'set', device, 'mtu', LONGEST_MTU, 'up');
  const capture = values.input ?? (await mixedInput());
  console.log(
    `${cpus().length} processors, load ${loadavg()[0]!.toFixed(1)} at the beginning; ${values.tool}`,
  );
  for (const mbit of values.rates.split(',').map(Number)) {
    const { sent, sentMbit, captured, dropped, cpuSeconds, code } = await measure(capture, mbit, folder);
    console.log(
      `${mbit} Mbit/s asked, ${sentMbit} sent: ${sent} packets, ${captured} analysed, ` +
        `${dropped.kernel} dropped by the system, ${dropped.tool} by the tool, ` +
        `${sent - captured - dropped.kernel - dropped.tool} unaccounted, ${cpuSeconds} CPU seconds, exit ${code}`,
    );
  }
} finally {
  ip('netns', 'delete', NAMESPACE);
  rmSync(folder, { recursive: true });
}

async function mixedInput(): Promise<string> {
  const folder = join(ROOT, 'build', 'bench-inputs', '100MB');
  const samples = join(ROOT, 'samples');
  return (await prepareInput('mixed', 'pcap', INPUT_BYTES, folder, samples, console.error)).path;
}
