/** The lab's command line; scripts/lab/README.md says how to use it. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { LIVE_SCENARIOS, watchScenario } from './live.js';
import { missing } from './requirements.js';
import { recordScenario } from './run.js';
import { installSample } from './samples.js';
import type { Scenario } from './scenario-types.js';
import { SCENARIOS } from './scenarios.js';
import { clearLeftovers, tearDown } from './topology.js';

const USAGE = `usage: node build/scripts/lab/main.js --list
       node build/scripts/lab/main.js [--out DIR] [--seed N] [--jobs N] NAME... | --all
       node build/scripts/lab/main.js --samples [--seed N] [--jobs N] [NAME...]
       node build/scripts/lab/main.js --live [--out DIR] [--seed N] [NAME...]
       node build/scripts/lab/main.js --clean`;

const TRIES = 2;

let interrupted = false;

interface Order {
  readonly seed: number;
  readonly out: string;
  readonly asSamples: boolean;
  /** Whether `sealert live` watches, and is judged. */
  readonly live: boolean;
  /** How many scenarios are recorded at the same time. */
  readonly jobs: number;
}

async function recordAll(scenarios: readonly Scenario[], order: Order): Promise<boolean> {
  const left = scenarios.map((scenario, index) => ({ scenario, number: index + 1 }));
  const failed: string[] = [];
  const lanes = Array.from({ length: Math.min(order.jobs, left.length) }, async (_, lane) => {
    for (let next = left.shift(); next; next = left.shift()) {
      const { scenario, number } = next;
      const report = await recordOne(scenario, order, lane);
      console.log(`${number}/${scenarios.length} ${scenario.name}: ${report.text}`);
      if (!report.succeeded) failed.push(scenario.name);
    }
  });
  await Promise.all(lanes);
  if (failed.length > 0) console.log(`${order.live ? 'wrong' : 'not recorded'}: ${failed.join(' ')}`);
  return failed.length === 0;
}

async function recordOne(scenario: Scenario, order: Order, lane: number) {
  let text = '';
  for (let turn = 1; turn <= TRIES; turn++) {
    try {
      if (order.live) {
        const watched = await watchScenario(scenario, order.seed, order.out, lane);
        return { ...watched, text: text + watched.text };
      }
      const labels = await recordScenario(scenario, order.seed, order.out, lane);
      if (order.asSamples) {
        for (const label of labels.filter((each) => scenario.sample.includes(each.capturePoint))) {
          await installSample(order.out, label, 'samples');
        }
      }
      const counts = labels.map(({ capturePoint, sessions, others }) => {
        const connections = sessions.flatMap((session) => session.connections);
        return `${capturePoint} ${connections.length} session flows, ${others.length} others`;
      });
      return { text: text + counts.join('; '), succeeded: true };
    } catch (error) {
      // What was cleared away under a recording makes it fail; the signal's handler then ends the program.
      if (interrupted) await new Promise(() => {});
      text += `failed: ${(error as Error).message}\n`;
    }
  }
  return { text, succeeded: false };
}

function chooseScenarios(names: readonly string[], all: boolean, samples: boolean): Scenario[] {
  const unknown = names.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name));
  if (unknown.length > 0) throw new Error(`no such scenario: ${unknown.join(', ')}`);
  const wanted = SCENARIOS.filter((scenario) => all || names.includes(scenario.name));
  if (!samples) return wanted;
  return (names.length > 0 ? wanted : SCENARIOS).filter((scenario) => scenario.sample.length > 0);
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      list: { type: 'boolean', default: false },
      all: { type: 'boolean', default: false },
      samples: { type: 'boolean', default: false },
      live: { type: 'boolean', default: false },
      clean: { type: 'boolean', default: false },
      out: { type: 'string', default: 'lab-captures' },
      seed: { type: 'string' },
      jobs: { type: 'string', default: '1' },
    },
  });
  if (values.list) {
    for (const { name, kind, description } of SCENARIOS) console.log(`${name}\t${kind}\t${description}`);
    return 0;
  }
  const names = values.live && positionals.length === 0 ? LIVE_SCENARIOS : positionals;
  const scenarios = chooseScenarios(names, values.all, values.samples);
  if (scenarios.length === 0 && !values.clean) {
    console.error(USAGE);
    return 2;
  }
  const lack = missing();
  if (lack !== undefined) {
    console.error(lack);
    return 2;
  }
  await clearLeftovers();
  if (values.clean) return 0;
  const seed = values.seed === undefined ? Math.floor(Math.random() * 1e6) : Number(values.seed);
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error('--seed takes a whole number');
  console.log(`seed ${seed}`);
  const jobs = Math.max(1, Number(values.jobs) || 1);
  const order = { seed, out: join(values.out), asSamples: values.samples, live: values.live, jobs };
  return (await recordAll(scenarios, order)) ? 0 : 1;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    console.error(`\n${signal}: clearing away`);
    interrupted = true;
    // Twice: a network may have been half built the first time.
    tearDown()
      .then(() => tearDown())
      .finally(() => process.exit(130));
  });
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
}
