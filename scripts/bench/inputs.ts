/** The inputs: made once with a fixed seed, kept in a folder, made again if the recipe changes. */
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
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
import { writeFolder } from './traffic-folder.js';
import { writeMixed } from './traffic-mixed.js';
import { writeSmall } from './traffic-small.js';

export type InputName = 'bulk' | 'mixed' | 'small' | 'folder';
export type Format = 'pcap' | 'pcapng' | 'gzip' | 'folder';

/** Raise when a generator changes what it writes. */
const RECIPE = 5;
export const SEED = 20_040_828;
const EXTENSIONS: Readonly<Record<Format, string>> = {
  pcap: '.pcap',
  pcapng: '.pcapng',
  gzip: '.pcap.gz',
  folder: '',
};

/** What there is to find in an input. */
export interface Contents {
  readonly packets: number;
  /** Made flows: those of recorded sessions come on top. */
  readonly flows: number;
  readonly sessions: readonly ExpectedSession[];
}

export interface Input extends Contents {
  readonly name: string;
  readonly format: Format;
  /** The capture, or the folder. */
  readonly path: string;
  /** The capture, or all of the folder. */
  readonly files: readonly string[];
  readonly bytes: number;
}

/** What is remembered of an input beside its file. */
interface Manifest extends Contents {
  readonly key: string;
}

/** The input's files in `folder`, made unless they are there; `say` is told what takes time. */
export async function prepareInput(
  name: InputName,
  format: Format,
  size: number,
  folder: string,
  samples: string,
  say: (text: string) => void,
): Promise<Input> {
  const recordings = name === 'bulk' ? [] : recordingsOf(samples);
  const key = JSON.stringify({ RECIPE, SEED, size, recordings: recordings.map(({ sha256 }) => sha256) });
  const manifestFile = join(folder, `${name}.json`);
  // The gzip twin is made of the pcap, all others together.
  const written = join(folder, `${name}${EXTENSIONS[format === 'gzip' ? 'pcap' : format]}`);
  let manifest = existsSync(written) ? readManifest(manifestFile) : undefined;
  if (manifest?.key !== key) {
    say(`making ${join(folder, name)}`);
    mkdirSync(folder, { recursive: true });
    for (const extension of ['.json', ...Object.values(EXTENSIONS)]) {
      rmSync(join(folder, `${name}${extension}`), { recursive: true, force: true });
    }
    manifest = { key, ...write(name, size, folder, recordings) };
    writeFileSync(manifestFile, `${JSON.stringify(manifest, null, 1)}\n`);
  }
  const path = join(folder, `${name}${EXTENSIONS[format]}`);
  if (format === 'gzip' && !existsSync(path)) {
    say(`making ${path}`);
    // Under another name first: half a file would be taken for the whole one.
    await pipeline(
      createReadStream(join(folder, `${name}.pcap`)),
      createGzip(),
      createWriteStream(`${path}.part`),
    );
    renameSync(`${path}.part`, path);
  }
  return inputOf(name, format, path, manifest);
}

/** The recordings to weave in; there have to be some. */
export function recordingsOf(samples: string): readonly Recording[] {
  const recordings = findRecordings(samples);
  if (recordings.length === 0) throw new Error(`no recorded session was found in ${samples}/`);
  return recordings;
}

/** The input whose file or folder is at `path`. */
export function inputOf(
  name: string,
  format: Format,
  path: string,
  { packets, flows, sessions }: Contents,
): Input {
  const files = format === 'folder' ? readdirSync(path).map((file) => join(path, file)) : [path];
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  return { name, format, path, files: files.sort(), bytes, packets, flows, sessions };
}

function readManifest(file: string): Manifest | undefined {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

function write(name: InputName, size: number, folder: string, recordings: readonly Recording[]): Contents {
  const sessions = recordings.flatMap((recording) => recording.sessions);
  if (name === 'folder') {
    const path = join(folder, name);
    mkdirSync(path);
    return { ...writeFolder(path, size, SEED, recordings), sessions };
  }
  const files: CaptureFile[] = [new PcapFile(join(folder, `${name}.pcap`))];
  if (name === 'mixed') files.push(new PcapngFile(join(folder, `${name}.pcapng`)));
  const out = new SeveralFiles(files);
  const made =
    name === 'bulk'
      ? { flows: writeBulk(out, size, SEED), sessions }
      : name === 'small'
        ? writeSmall(out, size, SEED, recordings)
        : { flows: writeMixed(out, { size, seed: SEED, recordings }).flows, sessions };
  out.close();
  return { packets: out.packets, ...made };
}

/** The same packets in several containers. */
class SeveralFiles implements CaptureFile {
  constructor(private readonly files: readonly CaptureFile[]) {}

  get packets(): number {
    return this.files[0]!.packets;
  }

  add(timeUs: number, frame: Uint8Array, length: number, originalLen: number): void {
    for (const file of this.files) file.add(timeUs, frame, length, originalLen);
  }

  close(): void {
    for (const file of this.files) file.close();
  }
}
