/** The recorded sessions of samples/, to be woven into the inputs. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FrameBatch } from '#sealert/capture/frame-batch.js';
import { CaptureReader } from '#sealert/capture/reader.js';
import type { Label } from '../lab/label.js';
import type { CaptureFile } from './capture-file.js';

/** The ends of a session's first connection, by which a report is checked. */
export interface ExpectedSession {
  sample: string;
  client: { ip: string; port: number | null };
  server: { ip: string; port: number | null };
}

export interface RecordedFrame {
  readonly timeUs: number;
  readonly bytes: Uint8Array;
  readonly originalLen: number;
}

export interface Recording {
  readonly sample: string;
  /** Digest of the capture, from its label. */
  readonly sha256: string;
  readonly file: string;
  readonly sessions: readonly ExpectedSession[];
}

const LINKTYPE_ETHERNET = 1;

/** Quiet time between two recordings, longer than any keep-alive. */
const DISTANCE_US = 5_000_000;

/** Every sample that holds direct sessions and nothing else: what the first figures were measured with. */
export function findRecordings(samples: string): Recording[] {
  const recordings: Recording[] = [];
  for (const sample of existsSync(samples) ? readdirSync(samples).sort() : []) {
    const file = join(samples, sample, 'capture.pcap');
    const labelFile = join(samples, sample, 'label.json');
    if (!existsSync(file) || !existsSync(labelFile)) continue;
    const label: Label = JSON.parse(readFileSync(labelFile, 'utf8'));
    if (!label.sessions.every(({ carrier }) => carrier === 'tcp')) continue;
    const sessions = label.sessions.flatMap(({ connections }) => {
      const primary = connections.find(({ role }) => role === 'primary');
      return primary === undefined ? [] : [{ sample, client: primary.client, server: primary.server }];
    });
    if (sessions.length > 0) recordings.push({ sample, sha256: label.sha256, file, sessions });
  }
  return recordings;
}

/** The recordings one after the other from `beginUs` on: times are shifted, everything else is as it was. */
export function oneAfterTheOther(recordings: readonly Recording[], beginUs: number) {
  const frames: RecordedFrame[] = [];
  let endUs = beginUs + DISTANCE_US;
  for (const { file } of recordings) {
    const own = shifted(readFrames(file), endUs);
    frames.push(...own);
    endUs = Math.max(...own.map(({ timeUs }) => timeUs)) + DISTANCE_US;
  }
  return { frames, endUs };
}

/** The recordings that fit between two times, all at once; of those that share a client one alone. */
export function sideBySide(recordings: readonly Recording[], beginUs: number, endUs: number) {
  const frames: RecordedFrame[] = [];
  const sessions: ExpectedSession[] = [];
  for (const recording of recordings) {
    const own = shifted(readFrames(recording.file), beginUs);
    const clients = new Set(sessions.map(({ client }) => client.ip));
    if (recording.sessions.some(({ client }) => clients.has(client.ip))) continue;
    if (own.some(({ timeUs }) => timeUs > endUs)) continue;
    frames.push(...own);
    sessions.push(...recording.sessions);
  }
  return { frames: frames.sort((a, b) => a.timeUs - b.timeUs), sessions };
}

/** Writes recorded frames between others when their time has come. */
export class Weaver {
  private next = 0;

  constructor(private readonly frames: readonly RecordedFrame[]) {}

  /** Writes what is due until `timeUs`. */
  weave(out: CaptureFile, timeUs: number): void {
    for (; this.next < this.frames.length && this.frames[this.next]!.timeUs <= timeUs; this.next++) {
      const { timeUs: at, bytes, originalLen } = this.frames[this.next]!;
      out.add(at, bytes, bytes.length, originalLen);
    }
  }

  /** Writes what is left; returns the time of the last recorded frame, 0 if there are none. */
  finish(out: CaptureFile): number {
    this.weave(out, Number.POSITIVE_INFINITY);
    return this.frames.at(-1)?.timeUs ?? 0;
  }
}

/** The frames, the first of them at `beginUs`. */
function shifted(frames: readonly RecordedFrame[], beginUs: number): RecordedFrame[] {
  const shiftUs = beginUs - frames[0]!.timeUs;
  return frames.map((frame) => ({ ...frame, timeUs: frame.timeUs + shiftUs }));
}

function readFrames(file: string): RecordedFrame[] {
  const frames: RecordedFrame[] = [];
  const reader = new CaptureReader((batch: FrameBatch) => {
    for (let i = 0; i < batch.count; i++) {
      if (batch.linkType[i] !== LINKTYPE_ETHERNET) throw new Error(`${file}: Ethernet was expected`);
      const at = batch.offset[i]!;
      const bytes = batch.bytes.slice(at, at + batch.capturedLen[i]!);
      frames.push({ timeUs: batch.timeUs[i]!, bytes, originalLen: batch.originalLen[i]! });
    }
  });
  reader.push(readFileSync(file));
  reader.end();
  if (frames.length === 0) throw new Error(`${file}: no packet could be read`);
  return frames;
}
