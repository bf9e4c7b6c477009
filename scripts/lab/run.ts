/** Records one scenario from an empty network to its finished labels, and clears everything away. */
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Expectation, faultsOf, type Label, makeLabel } from './label.js';
import { LOOK_ALIKES, prepareTls } from './lookalikes.js';
import { type Played, playSoftEther } from './play.js';
import { Random, seedFor } from './random.js';
import { type Beside, Recorder } from './record.js';
import type { BenignScenario, Scenario } from './scenario-types.js';
import { SCENARIOS } from './scenarios.js';
import { buildNetwork, type Network, type NetworkWishes, OWN_PREFIX, tearDown } from './topology.js';
import { drawSite, drawTls, type Site } from './variation.js';

/** Samples are kept in the repository, so they have to stay small. */
const MOST_SAMPLE_BYTES = 300_000;

/** Records `scenario` and leaves its captures and labels in `out`. Each lane has a network of its own. */
export async function recordScenario(
  scenario: Scenario,
  runSeed: number,
  out: string,
  lane: number,
  beside?: Beside,
): Promise<Label[]> {
  const random = new Random(seedFor(runSeed, scenario.name));
  const more = new Random(seedFor(runSeed, `${scenario.name} more`));
  const site = drawSite(random, more);
  const folder = mkdtempSync(join(tmpdir(), OWN_PREFIX));
  const forget = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', forget);
  try {
    const network = await buildNetwork(site, folder, lane, wishesOf(scenario));
    const recorder = new Recorder(network, folder, scenario.points, beside);
    const played =
      scenario.kind === 'benign'
        ? await playLookAlike(scenario, network, site, random, more, runSeed, recorder)
        : await playSoftEther(scenario, network, site, random, more, recorder);
    return await keep(scenario, played, recorder, runSeed, out);
  } finally {
    await tearDown(lane);
    forget();
    process.off('exit', forget);
  }
}

/** Labels what was recorded on each point; throws if any of it is not what it should be. */
async function keep(
  scenario: Scenario,
  { recording, knowledge }: Played,
  recorder: Recorder,
  runSeed: number,
  out: string,
): Promise<Label[]> {
  const labels: Label[] = [];
  for (const point of scenario.points) {
    const file = recorder.fileOf(point);
    const name = scenario.points.length > 1 ? `${scenario.name}.${point}` : scenario.name;
    const label = await makeLabel(recording, point, file, `${name}.pcap`, runSeed, knowledge);
    const expected: Expectation = scenario.kind === 'session' ? scenario : {};
    // The proxy's link carries the session twice, in front of the proxy and behind it.
    const faults = faultsOf(label, point === 'both' ? { ...expected, sessions: 2 } : expected);
    const bytes = statSync(file).size;
    if (scenario.sample.includes(point) && bytes > MOST_SAMPLE_BYTES) {
      faults.push(`it is too large for a sample: ${bytes} bytes`);
    }
    if (faults.length > 0) throw new Error(`the recording ${name} is wrong: ${faults.join('; ')}`);
    labels.push(label);
  }
  mkdirSync(out, { recursive: true });
  for (const label of labels) {
    move(recorder.fileOf(label.capturePoint), join(out, label.capture));
    const name = label.capture.replace(/\.pcap$/, '.json');
    writeFileSync(join(out, name), `${JSON.stringify(label, null, 1)}\n`);
  }
  return labels;
}

function wishesOf(scenario: Scenario): NetworkWishes {
  const { points, path } = scenario;
  const isSession = scenario.kind === 'session';
  const passesProxy =
    points.includes('server') ||
    (isSession && (scenario.way.kind === 'proxy' || scenario.way.kind === 'ssh'));
  return {
    proxy: passesProxy,
    second: isSession && scenario.second === true,
    ipv6: isSession && scenario.ipv6,
    ...(path ? { path } : {}),
  };
}

function move(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

async function playLookAlike(
  scenario: BenignScenario,
  network: Network,
  site: Site,
  random: Random,
  more: Random,
  runSeed: number,
  recorder: Recorder,
): Promise<Played> {
  const drawn = drawTls(random, site, SCENARIOS.indexOf(scenario) + runSeed);
  const tls = scenario.tlsVersion ? { ...drawn, version: scenario.tlsVersion } : drawn;
  const { certificate, openSsl } = await prepareTls(network, tls);
  const record = async () => {
    await recorder.start();
    await sleep(random.int(200, 900));
  };
  const { port, seconds, plan = {} } = scenario;
  const stage = { network, site, random, more, port, seconds, plan, tls, certificate, openSsl, record };
  const { software, settings, verified } = await LOOK_ALIKES[scenario.lookAlike](stage);
  await sleep(500);
  await recorder.stop();
  const none: ReadonlySet<number> = new Set();
  return {
    recording: {
      software,
      scenario: scenario.name,
      description: scenario.description,
      label: 'benign',
      settings: { host: site.serverAddress, port, seconds, ...settings },
      commands: [],
      clientStatus: {},
      verified,
      notes: '',
    },
    knowledge: { site, logged: new Map(), standingUdpPorts: none, sessionUdpPorts: none },
  };
}
