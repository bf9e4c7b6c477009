/**
 * Watches a scenario with `sealert live` while it is played, in each of the ways to start it, and checks what
 * was said, how soon, and that a scan of the kept packets says the same. sealert has no rights; only its
 * dumpcap has, or the tcpdump at the other end of a pipe.
 */
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { findCaptureTool } from '#sealert/node/live/capture-tool.js';
import { logLine } from '#sealert/report/log.js';
import { isAtLeast, type Report, type Session } from '#sealert/report/model.js';
import type { Label, LabelledSession } from './label.js';
import { type Place, type Running, run, runIn, startIn, stop, waitForOutput } from './processes.js';
import type { Beside } from './record.js';
import { recordScenario } from './run.js';
import type { Scenario } from './scenario-types.js';
import { CAPTURE_POINTS, type Network, OWN_PREFIX } from './topology.js';

/** What is watched if no scenario is named: plain, with UDP acceleration, and through a proxy. */
export const LIVE_SCENARIOS: readonly string[] = ['direct-default', 'direct-443-tcp8-udp', 'http-squid'];

/** How the device is given to `sealert live`; into a pipe tcpdump captures it. */
const WAYS = ['name', 'number', 'pipe'] as const;

/** What `sealert live` promises: seconds from the packet that decides to the line. */
const MOST_DELAY = 1;

const LOOK_EVERY_MS = 10;

const CLI = resolve('dist/bin/sealert.js');
const NOBODY = 65_534;
const AS_NOBODY = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--inh-caps=-all'];

/** Plays the scenario and returns what to print of it; throws if the recording itself is no good. */
export async function watchScenario(
  scenario: Scenario,
  seed: number,
  out: string,
  lane: number,
): Promise<{ text: string; succeeded: boolean }> {
  const folder = mkdtempSync(join(tmpdir(), OWN_PREFIX));
  const forget = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', forget);
  try {
    const watches = new Watches(folder, await lendRights(folder));
    const [label] = await recordScenario({ ...scenario, points: ['client'] }, seed, out, lane, watches);
    cpSync(folder, join(out, `${scenario.name}.live`), { recursive: true });
    const rows: string[] = [];
    let succeeded = true;
    for (const watch of watches.all) {
      const { found, faults } = await judge(watch, label!);
      rows.push(`  ${watch.way.padEnd(6)}  ${[...found, ...faults].join('; ')}`);
      succeeded &&= faults.length === 0;
    }
    return { text: `\n${rows.join('\n')}`, succeeded };
  } finally {
    forget();
    process.off('exit', forget);
  }
}

/** A dumpcap that may capture whoever starts it, as on an administrator's machine; returns its path. */
async function lendRights(folder: string): Promise<string> {
  chmodSync(folder, 0o755);
  const path = join(folder, 'dumpcap');
  copyFileSync((await findCaptureTool('dumpcap'))!.path, path);
  await run(['setcap', 'cap_net_raw,cap_net_admin=eip', path]);
  return path;
}

/** Runs of `sealert live` that go on as long as the recording. */
class Watches implements Beside {
  readonly all: Watch[] = [];

  constructor(
    private readonly folder: string,
    private readonly dumpcap: string,
  ) {}

  async begin({ gateway }: Network): Promise<void> {
    for (const way of WAYS) {
      const watch = new Watch(way, join(this.folder, way));
      this.all.push(watch);
      await watch.begin(gateway, CAPTURE_POINTS.client[1], this.dumpcap);
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.all.map((watch) => watch.end()));
  }
}

class Watch {
  readonly log: Arrivals;
  readonly found: Arrivals;
  running: Running | undefined;
  /** User and effective capabilities of the process that analyses, as Linux tells them. */
  rights = '';

  constructor(
    readonly way: (typeof WAYS)[number],
    readonly folder: string,
  ) {
    mkdirSync(folder);
    chownSync(folder, NOBODY, NOBODY);
    this.log = new Arrivals(this.pathOf('sealert.log'));
    this.found = new Arrivals(this.pathOf('found.ndjson'));
  }

  pathOf(name: string): string {
    return join(this.folder, name);
  }

  async begin(place: Place, device: string, dumpcap: string): Promise<void> {
    const tool = ['--capture-tool', dumpcap];
    const source = { name: device, number: '', pipe: '-' }[this.way];
    const given = source || (await this.numberOf(place, device, tool));
    const written = ['--log', 'sealert.log', '--ndjson', 'found.ndjson', '-w', 'kept.pcapng'];
    const live = this.sealert('live', given, ...tool, ...written, '--format', 'json', '-o', 'report.json');
    const piped = `exec "$@" < <(exec tcpdump --immediate-mode -U -n -i ${device} -w -)`;
    const command = this.way === 'pipe' ? ['bash', '-c', piped, 'pipe', ...live] : live;
    this.running = startIn(place, `live-${this.way}`, command);
    await waitForOutput(this.running, 'Starting Capture Packets at');
    const status = readFileSync(`/proc/${this.running.child.pid}/status`, 'utf8');
    this.rights = `${/^Uid:\t\d+\t(\d+)/m.exec(status)?.[1]} ${/^CapEff:\t(\w+)/m.exec(status)?.[1]}`;
  }

  async end(): Promise<void> {
    if (this.running) await stop(this.running, 'SIGINT');
    this.log.end();
    this.found.end();
  }

  private sealert(...args: string[]): string[] {
    return ['env', `--chdir=${this.folder}`, ...AS_NOBODY, process.execPath, CLI, ...args];
  }

  private async numberOf(place: Place, device: string, tool: readonly string[]): Promise<string> {
    const { stdout } = await runIn(place, this.sealert('devices', '--format', 'json', ...tool));
    const devices = JSON.parse(stdout) as { number: number; name: string }[];
    return String(devices.find(({ name }) => name === device)?.number);
  }
}

/** The lines of a file that others write, and when each was there. */
class Arrivals {
  readonly lines: { text: string; atMs: number }[] = [];
  private readonly timer = setInterval(() => this.look(), LOOK_EVERY_MS);

  constructor(private readonly path: string) {}

  end(): void {
    clearInterval(this.timer);
    this.look();
  }

  private look(): void {
    if (!existsSync(this.path)) return;
    const atMs = Date.now();
    const whole = readFileSync(this.path, 'utf8').split('\n').slice(0, -1);
    for (const text of whole.slice(this.lines.length)) this.lines.push({ text, atMs });
  }
}

/** What a watch found and how soon, and what of it is wrong. */
async function judge(watch: Watch, label: Label): Promise<{ found: string[]; faults: string[] }> {
  const { running, rights, log } = watch;
  const faults: string[] = [];
  const found: string[] = [];
  const code = running?.child.exitCode;
  if (code !== 0) faults.push(`it ended with ${code}`);
  if (rights !== `${NOBODY} ${'0'.repeat(16)}`) faults.push(`it ran with the rights ${rights}`);
  const expected = label.sessions.map((session) => linesFor(session, label));
  const lines = log.lines.map(({ text }) => text);
  const isRight =
    lines.length === expected.length && expected.every((either, i) => either.includes(lines[i]!));
  if (!isRight) faults.push(`it logged ${lines}, not ${expected}`);

  const kept = watch.pathOf('kept.pcapng');
  const { sessions } = await scan(kept);
  const reported = JSON.parse(readFileSync(watch.pathOf('report.json'), 'utf8')) as Report;
  if (!isDeepStrictEqual(reported.sessions, sessions)) faults.push('a scan finds other sessions');
  const changes = changesOf(watch);
  const ended = changes.filter(({ change }) => change === 'ended').map(({ session }) => session);
  if (!isDeepStrictEqual(ended, sessions)) faults.push('the last words are not what a scan finds');

  const told = new Set<string>();
  for (const { change, session, atMs } of changes) {
    if (change !== 'reached') continue;
    // The first time there is a line in the log as well.
    const loggedMs = told.has(session.id) ? atMs : log.lines[told.size]?.atMs;
    told.add(session.id);
    const delay =
      (Math.max(atMs, loggedMs ?? Number.NaN) -
        (await decidedAt(kept, session, reported.inputs[0]!.packets))) /
      1000;
    found.push(`${session.id} ${session.verdict} after ${delay.toFixed(2)} s`);
    if (!(delay <= MOST_DELAY)) faults.push('that is too late');
  }
  return { found, faults };
}

/** The lines of the log that are right, from the label alone: behind a proxy a server may show no generation. */
function linesFor({ carrier, connections }: LabelledSession, { settings, software }: Label): string[] {
  const { client, server, start } = connections[0]!;
  const target = { host: settings.host, port: settings.port };
  const lineWith = (generation: string | null) =>
    logLine({
      ...{ carrier, client, server, start: new Date(start * 1000).toISOString() },
      software: { product: 'SoftEther VPN', client: { generation }, server: { generation } },
      ...(carrier === 'tcp' ? {} : { target }),
    } as Session);
  const full = lineWith(`${software.softether!.split('.')[0]}.x`);
  return carrier === 'tcp' ? [full] : [full, lineWith(null)];
}

function changesOf({ found }: Watch): { change: string; session: Session; atMs: number }[] {
  return found.lines.flatMap(({ text, atMs }) => {
    const { type, change, ...session } = JSON.parse(text);
    return type === 'session' ? { change, session, atMs } : [];
  });
}

/** The time of the packet without which a scan does not give this verdict, in milliseconds since 1970. */
async function decidedAt(kept: string, { id, verdict }: Session, packets: number): Promise<number> {
  const part = `${kept}.part`;
  let without = 0;
  let having = packets;
  let atMs = Number.NaN;
  while (without < having) {
    const count = Math.ceil((without + having) / 2);
    await run(['editcap', '-r', kept, part, `1-${count}`]);
    const { sessions, inputs } = await scan(part);
    if (sessions.some((session) => session.id === id && isAtLeast(session.verdict, verdict))) {
      atMs = Date.parse(inputs[0]!.lastPacket!);
      // Asked again, it is the first that has it.
      if (count === having) break;
      having = count;
    } else without = count;
  }
  return atMs;
}

async function scan(path: string): Promise<Report> {
  return JSON.parse((await run([process.execPath, CLI, 'scan', path, '--format', 'json'])).stdout);
}
