/** How the time for a packet grows with the size of a capture, and with the flows that are open at once. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Bench, say, warm } from './bench.js';
import { PcapFile } from './capture-file.js';
import { type Contents, recordingsOf, SEED } from './inputs.js';
import type { Measurement } from './measure.js';
import { figures } from './results.js';
import { scan } from './scan.js';
import { formatBytes, formatCount } from './sizes.js';
import { median, type Row, table } from './table.js';
import { writeMixed } from './traffic-mixed.js';
import { BYTES_PER_PACKET, writeConcurrent } from './traffic-small.js';
import { faultsOf } from './verify.js';

/** Of `--size`. */
const SIZES = [0.1, 1, 10];
/** Flows that are open at once, for one packet of the small input: a thousand to a million at 1 GB. */
const FLOWS_PER_PACKET = [1e-4, 1e-3, 1e-2, 1e-1];

interface GrowthInput {
  readonly name: string;
  write(out: PcapFile): Omit<Contents, 'packets'>;
}

/** Each input is removed when it has been measured. */
export async function measureGrowth(bench: Bench): Promise<string> {
  const recordings = recordingsOf(bench.samples);
  const sessions = recordings.flatMap((recording) => recording.sessions);
  const almostNothing = { name: 'start-up', write: (out: PcapFile) => writeFlows(out, 1, 1) };
  const startup = median((await measureInput(bench, almostNothing)).rounds.map(({ seconds }) => seconds));
  const inputs: GrowthInput[] = [
    ...SIZES.map((factor) => ({
      name: `mixed, ${formatBytes(factor * bench.bytes)}`,
      write: (out: PcapFile) => ({
        flows: writeMixed(out, { size: factor * bench.bytes, seed: SEED, recordings }).flows,
        sessions,
      }),
    })),
    ...FLOWS_PER_PACKET.map((share) => {
      const packets = bench.bytes / BYTES_PER_PACKET;
      const flows = Math.round(share * packets);
      const name = `${formatCount(flows)} flows open at once`;
      return { name, write: (out: PcapFile) => writeFlows(out, packets, flows) };
    }),
  ];
  const rows: Row[] = [];
  for (const input of inputs) {
    const { packets, flows, evicted, rounds } = await measureInput(bench, input);
    const perPacket = rounds.map(({ seconds }) => ((seconds - startup) * 1e9) / packets);
    rows.push([
      input.name,
      formatCount(packets),
      formatCount(flows),
      formatCount(evicted),
      String(rounds.length),
      ...figures(rounds),
      median(perPacket).toFixed(0),
    ]);
  }
  return [
    '## Growth',
    `Nanoseconds per packet are without the ${(startup * 1e3).toFixed(0)} ms that the scan of one packet takes.
Flows are given up where more are open than the default \`--memory\` has room for.`,
    table(
      [
        'input',
        'packets',
        'flows',
        'given up',
        'rounds',
        'seconds',
        'CPU seconds',
        'peak memory',
        'ns per packet',
      ],
      rows,
    ),
  ].join('\n\n');
}

async function measureInput(bench: Bench, { name, write }: GrowthInput) {
  const path = join(bench.inputs, 'growth.pcap');
  mkdirSync(bench.inputs, { recursive: true });
  try {
    say(`making ${path}: ${name}`);
    const out = new PcapFile(path);
    const made = write(out);
    out.close();
    const contents = { ...made, packets: out.packets };
    warm([path]);
    const rounds: Measurement[] = [];
    let evicted = 0;
    for (let round = 1; round <= bench.rounds; round++) {
      say(`${name}, round ${round}`);
      const { measurement, report } = await scan(bench, [path]);
      rounds.push(measurement);
      evicted = report.diagnostics.evictedFlows;
      const faults = faultsOf(report, contents);
      if (faults.length > 0) throw new Error(`${name}: ${faults.join('; ')}`);
    }
    return { ...contents, evicted, rounds };
  } finally {
    rmSync(path, { force: true });
  }
}

function writeFlows(out: PcapFile, packets: number, flows: number) {
  writeConcurrent(out, packets, flows, SEED);
  return { flows, sessions: [] };
}
