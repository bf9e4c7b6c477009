/** The lab's command line; scripts/lab/README.md says how to use it. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { missing } from './requirements.js';
import { clearLeftovers, recordScenario } from './run.js';
import { installSample } from './samples.js';
import { SCENARIOS, type Scenario } from './scenarios.js';
import { tearDown } from './topology.js';

const USAGE = `usage: node build/scripts/lab/main.js --list
       node build/scripts/lab/main.js [--out DIR] [--seed N] NAME... | --all
       node build/scripts/lab/main.js --samples [--seed N] [NAME...]
       node build/scripts/lab/main.js --clean`;

const TRIES = 2;

let interrupted = false;

async function recordAll(scenarios: readonly Scenario[], seed: number, out: string, asSamples: boolean) {
  const failed: string[] = [];
  for (const [index, scenario] of scenarios.entries()) {
    process.stdout.write(`${index + 1}/${scenarios.length} ${scenario.name}: `);
    for (let turn = 1; ; turn++) {
      try {
        const label = await recordScenario(scenario, seed, out);
        if (asSamples) await installSample(out, label, 'samples');
        const connections = label.sessions.flatMap((session) => session.connections);
        console.log(`${connections.length} session flows, ${label.others.length} others`);
        break;
      } catch (error) {
        // What was cleared away under a recording makes it fail; the signal's handler then ends the program.
        if (interrupted) await new Promise(() => {});
        console.log(`failed: ${(error as Error).message}`);
        if (turn === TRIES) {
          failed.push(scenario.name);
          break;
        }
      }
    }
  }
  if (failed.length > 0) console.log(`not recorded: ${failed.join(' ')}`);
  return failed.length === 0;
}

function chooseScenarios(names: readonly string[], all: boolean, samples: boolean): Scenario[] {
  const unknown = names.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name));
  if (unknown.length > 0) throw new Error(`no such scenario: ${unknown.join(', ')}`);
  const wanted = SCENARIOS.filter((scenario) => all || names.includes(scenario.name));
  if (!samples) return wanted;
  return (names.length > 0 ? wanted : SCENARIOS).filter((scenario) => scenario.sample);
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      list: { type: 'boolean', default: false },
      all: { type: 'boolean', default: false },
      samples: { type: 'boolean', default: false },
      clean: { type: 'boolean', default: false },
      out: { type: 'string', default: 'lab-captures' },
      seed: { type: 'string' },
    },
  });
  if (values.list) {
    for (const { name, kind, description } of SCENARIOS) console.log(`${name}\t${kind}\t${description}`);
    return 0;
  }
  const scenarios = chooseScenarios(positionals, values.all, values.samples);
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
  return (await recordAll(scenarios, seed, join(values.out), values.samples)) ? 0 : 1;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    console.error(`\n${signal}: clearing away`);
    interrupted = true;
    // Twice: a network may have been half built the first time.
    tearDown()
      .then(tearDown)
      .finally(() => process.exit(130));
  });
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
}
