/// Captures played to the live engine: frames in small batches, and looked at in between.

import { FrameBatch } from '#sealert/capture/frame-batch.js';
import type { Sighting } from '#sealert/detect/findings.js';
import type { Findings } from '#sealert/engine.js';
import { LiveEngine, type SessionChange } from '#sealert/live-engine.js';
import type { ReadFrame } from './read.js';

/// How often the one who feeds the engine asks for news.
const ASK_US = 100_000;

/// News, and the packet time at which it came.
export type Told = SessionChange & { nowUs: number };

export class LivePlayer {
  readonly told: Told[] = [];
  readonly sighted: Sighting[] = [];
  readonly engine: LiveEngine;
  private readonly batch = new FrameBatch();
  private bytes = new Uint8Array(1 << 16);
  private nowUs = Number.NaN;

  constructor(private readonly batchFrames = 1) {
    this.engine = new LiveEngine({
      changed: (change) => this.told.push({ ...change, nowUs: this.nowUs }),
      sighted: (sighting) => this.sighted.push(sighting),
    });
    this.engine.begin(0);
  }

  play(frames: readonly ReadFrame[]): this {
    for (let at = 0; at < frames.length; at += this.batchFrames) {
      const part = frames.slice(at, at + this.batchFrames);
      this.waitUntil(part[0]!.timeUs);
      this.push(part);
      this.nowUs = Math.max(this.nowUs, part.at(-1)!.timeUs);
      this.engine.evaluate(this.nowUs);
    }
    return this;
  }

  /// Time passes, and no packets come.
  waitUntil(timeUs: number): this {
    if (Number.isNaN(this.nowUs)) this.nowUs = timeUs;
    while (this.nowUs + ASK_US < timeUs) {
      this.nowUs += ASK_US;
      this.engine.evaluate(this.nowUs);
    }
    return this;
  }

  end(): Findings {
    return this.engine.end();
  }

  private push(frames: readonly ReadFrame[]): void {
    const { batch } = this;
    const needed = frames.reduce((sum, { bytes }) => sum + bytes.length, 0);
    if (needed > this.bytes.length) this.bytes = new Uint8Array(needed);
    batch.bytes = this.bytes;
    batch.view = new DataView(this.bytes.buffer);
    batch.count = frames.length;
    let at = 0;
    frames.forEach(({ bytes, timeUs, originalLen, linkType, frame }, i) => {
      this.bytes.set(bytes, at);
      batch.offset[i] = at;
      batch.capturedLen[i] = bytes.length;
      batch.originalLen[i] = originalLen;
      batch.timeUs[i] = timeUs;
      batch.linkType[i] = linkType;
      batch.frame[i] = frame;
      at += bytes.length;
    });
    this.engine.push(batch);
  }
}
