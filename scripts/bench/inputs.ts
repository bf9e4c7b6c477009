/** The inputs: made once with a fixed seed, kept in a folder, made again if the recipe changes. */
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type CaptureFile, PcapFile, PcapngFile } from './capture-file.js';
import { type ExpectedSession, findRecordings, type Recording } from './recordings.js';
import { writeBulk } from './traffic-bulk.js';
import { writeMixed } from './traffic-mixed.js';
import { writeSmall } from './traffic-small.js';

export type InputName = 'bulk' | 'mixed' | 'small';
export type Format = 'pcap' | 'pcapng' | 'gzip';

/** Raise when a generator changes what it writes. */
const RECIPE = 2;
const SEED = 20_040_828;
const EXTENSIONS: Readonly<Record<Format, string>> = { pcap: 'pcap', pcapng: 'pcapng', gzip: 'pcap.gz' };

export interface Input {
  readonly name: InputName;
  readonly format: Format;
  readonly file: string;
  readonly bytes: number;
  readonly packets: number;
  readonly flows: number;
  /** What a scan has to find. */
  readonly sessions: readonly ExpectedSession[];
}

/** What is remembered of an input beside its file. */
interface Manifest {
  key: string;
  packets: number;
  flows: number;
  sessions: readonly ExpectedSession[];
}

/** All inputs, in the order in which they are measured. */
export const INPUTS: readonly (readonly [InputName, Format])[] = [
  ['bulk', 'pcap'],
  ['mixed', 'pcap'],
  ['mixed', 'pcapng'],
  ['mixed', 'gzip'],
  ['small', 'pcap'],
];

/** The input's files in `folder`, made unless they are there; `say` is told what takes time. */
export async function prepareInput(
  name: InputName,
  format: Format,
  size: number,
  folder: string,
  samples: string,
  say: (text: string) => void,
): Promise<Input> {
  const recordings = name === 'mixed' ? findRecordings(samples) : [];
  if (name === 'mixed' && recordings.length === 0)
    throw new Error(`no recorded session was found in ${samples}/`);
  const key = JSON.stringify({ RECIPE, SEED, size, recordings: recordings.map(({ sha256 }) => sha256) });
  const manifestFile = join(folder, `${name}.json`);
  let manifest = readManifest(manifestFile);
  if (manifest?.key !== key) {
    say(`making ${join(folder, name)}`);
    mkdirSync(folder, { recursive: true });
    for (const extension of ['json', ...Object.values(EXTENSIONS)]) {
      rmSync(join(folder, `${name}.${extension}`), { force: true });
    }
    manifest = { key, ...write(name, size, folder, recordings) };
    writeFileSync(manifestFile, `${JSON.stringify(manifest, null, 1)}\n`);
  }
  const file = join(folder, `${name}.${EXTENSIONS[format]}`);
  if (format === 'gzip' && !existsSync(file)) {
    say(`making ${file}`);
    // Under another name first: half a file would be taken for the whole one.
    await pipeline(
      createReadStream(join(folder, `${name}.pcap`)),
      createGzip(),
      createWriteStream(`${file}.part`),
    );
    renameSync(`${file}.part`, file);
  }
  const { packets, flows, sessions } = manifest;
  return { name, format, file, bytes: statSync(file).size, packets, flows, sessions };
}

function readManifest(file: string): Manifest | undefined {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

function write(name: InputName, size: number, folder: string, recordings: readonly Recording[]) {
  const files: CaptureFile[] = [new PcapFile(join(folder, `${name}.pcap`))];
  if (name === 'mixed') files.push(new PcapngFile(join(folder, `${name}.pcapng`)));
  let packets = 0;
  const out: CaptureFile = {
    get bytes() {
      return files[0]!.bytes;
    },
    add(timeUs, frame, length, originalLen) {
      packets++;
      for (const file of files) file.add(timeUs, frame, length, originalLen);
    },
    close() {
      for (const file of files) file.close();
    },
  };
  const flows =
    name === 'bulk'
      ? writeBulk(out, size, SEED)
      : name === 'small'
        ? writeSmall(out, size, SEED)
        : writeMixed(out, size, SEED, recordings);
  out.close();
  return { packets, flows, sessions: recordings.flatMap(({ sessions }) => sessions) };
}
