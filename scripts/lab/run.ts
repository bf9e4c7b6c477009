/** Records one scenario from an empty network to a finished label, and clears everything away. */
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { faultsOf, type Label, makeLabel } from './label.js';
import { LOOK_ALIKES, prepareTls } from './lookalikes.js';
import { type Played, playSoftEther } from './play-softether.js';
import type { Running } from './processes.js';
import { Random, seedFor } from './random.js';
import { startRecording, stopRecording } from './record.js';
import { type BenignScenario, SCENARIOS, type Scenario } from './scenarios.js';
import { buildNetwork, type Network, tearDown } from './topology.js';
import { drawSite, drawTls, type Site } from './variation.js';

/** Samples are kept in the repository, so they have to stay small. */
const MOST_SAMPLE_BYTES = 300_000;

const FOLDER_PREFIX = 'sealert-lab-';

/** Records `scenario` and leaves NAME.pcap and NAME.json in `out`. */
export async function recordScenario(scenario: Scenario, runSeed: number, out: string): Promise<Label> {
  const random = new Random(seedFor(runSeed, scenario.name));
  const site = drawSite(random);
  const folder = mkdtempSync(join(tmpdir(), FOLDER_PREFIX));
  const forget = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', forget);
  try {
    const network = await buildNetwork(site, folder);
    const file = join(folder, 'capture.pcap');
    const played =
      scenario.kind === 'benign'
        ? await playLookAlike(scenario, network, site, random, runSeed, file)
        : await playSoftEther(scenario, network, site, random, file);
    const capture = `${scenario.name}.pcap`;
    const label = await makeLabel(played.recording, file, capture, runSeed, played.knowledge);
    const faults = faultsOf(label, scenario.kind === 'session' ? scenario.connections : undefined);
    const bytes = statSync(file).size;
    if (scenario.sample && bytes > MOST_SAMPLE_BYTES)
      faults.push(`it is too large for a sample: ${bytes} bytes`);
    if (faults.length > 0) throw new Error(`the recording is not what it should be: ${faults.join('; ')}`);
    mkdirSync(out, { recursive: true });
    move(file, join(out, capture));
    writeFileSync(join(out, `${scenario.name}.json`), `${JSON.stringify(label, null, 1)}\n`);
    return label;
  } finally {
    await tearDown();
    forget();
    process.off('exit', forget);
  }
}

/** Removes what an earlier run left behind because it was killed. Two runs at a time are not possible. */
export async function clearLeftovers(): Promise<void> {
  await tearDown();
  const names = readdirSync(tmpdir()).filter((name) => name.startsWith(FOLDER_PREFIX));
  for (const name of names) rmSync(join(tmpdir(), name), { recursive: true, force: true });
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
  runSeed: number,
  file: string,
): Promise<Played> {
  const tls = drawTls(random, site, SCENARIOS.indexOf(scenario) + runSeed);
  const { certificate, openSsl } = await prepareTls(network, tls);
  let tcpdump: Running | undefined;
  const record = async () => {
    tcpdump = await startRecording(network, scenario.capturePoint, file);
    await sleep(random.int(200, 900));
  };
  const { port, seconds } = scenario;
  const stage = { network, site, random, port, seconds, tls, certificate, openSsl, record };
  const { software, settings, verified } = await LOOK_ALIKES[scenario.lookAlike](stage);
  await sleep(500);
  if (tcpdump) await stopRecording(tcpdump);
  return {
    recording: {
      software,
      scenario: scenario.name,
      description: scenario.description,
      capturePoint: scenario.capturePoint,
      label: 'benign',
      settings: { host: site.serverAddress, port, seconds, ...settings },
      commands: [],
      clientStatus: {},
      verified,
      notes: '',
    },
    knowledge: { site, logged: new Map(), standingUdpPorts: new Set(), sessionUdpPorts: new Set() },
  };
}
