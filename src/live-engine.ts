/// The engine while packets still come: the same findings as `Engine`, and
/// word of every session as it changes.

import type { FrameBatch } from './capture/frame-batch.js';
import type { Session, Sighting } from './detect/findings.js';
import { Engine, type EngineOptions, type Findings } from './engine.js';

export interface SessionChange {
  /// `reached`: a verdict was reached for the first time, or rose; it is never
  /// withdrawn. `update`: more was learned. `ended`: the final record, with volumes.
  kind: 'reached' | 'update' | 'ended';
  session: Session;
}

export interface LiveEngineOptions extends EngineOptions {
  changed(change: SessionChange): void;
  sighted?(sighting: Sighting): void;
}

/// What was taken so far.
export interface LiveCounts {
  packets: number;
  /// Bytes on the wire.
  bytes: number;
  flows: number;
}

/// Provisional: tells of every session when the capture ends.
export class LiveEngine {
  private readonly engine: Engine;
  private readonly taken: LiveCounts = { packets: 0, bytes: 0, flows: 0 };

  constructor(private readonly options: LiveEngineOptions) {
    this.engine = new Engine(options);
  }

  begin(input: number): void {
    this.engine.begin(input);
  }

  push(batch: FrameBatch): void {
    this.taken.packets += batch.count;
    for (let i = 0; i < batch.count; i++) this.taken.bytes += batch.originalLen[i]!;
    this.engine.push(batch);
  }

  /// Called at least every 200 ms, also when no packets come. `nowUs` is the time
  /// of the latest packet, or that plus the time that has passed since.
  evaluate(_nowUs: number): void {}

  counts(): LiveCounts {
    return this.taken;
  }

  end(): Findings {
    const findings = this.engine.end();
    for (const session of findings.sessions) {
      this.options.changed({ kind: 'reached', session });
      this.options.changed({ kind: 'ended', session });
    }
    for (const sighting of findings.sightings) this.options.sighted?.(sighting);
    return findings;
  }
}
