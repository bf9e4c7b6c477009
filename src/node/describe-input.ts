/// An input as the report has it: from what its reader learned, and what only the engine saw.

import type { CaptureDamage, CaptureSummary } from '../capture/capture-summary.js';
import { rfc3339 } from '../detect/rfc3339.js';
import type { Findings } from '../engine.js';
import type { Damage, Input } from '../report/model.js';
import type { SourceResult } from './file-source.js';

/// An input from which nothing could be read.
export function unreadable(path: string, reason: string): Input {
  return {
    path,
    format: null,
    compression: null,
    bytes: 0,
    packets: 0,
    firstPacket: null,
    lastPacket: null,
    error: reason,
    damage: [],
  };
}

export function describe(path: string, summary: CaptureSummary, stored: SourceResult): Input {
  if (summary.notACapture !== null) {
    return { ...unreadable(path, summary.notACapture), compression: stored.compression, bytes: stored.bytes };
  }
  const hasPackets = summary.packets > 0;
  return {
    path,
    format: summary.format,
    compression: stored.compression,
    bytes: stored.bytes,
    packets: summary.packets,
    firstPacket: hasPackets ? rfc3339(summary.firstUs) : null,
    lastPacket: hasPackets ? rfc3339(summary.lastUs) : null,
    ...(summary.dropped === null ? {} : { droppedByCapture: summary.dropped }),
    damage: summary.damage.map(damageOf),
    ...(summary.damageLeftOut.places === 0 ? {} : { damageLeftOut: summary.damageLeftOut }),
    ...(Object.keys(summary.limitsHit).length === 0 ? {} : { limitsHit: summary.limitsHit }),
  };
}

export function damageOf({ fromUs, toUs, ...place }: CaptureDamage): Damage {
  return { ...place, from: timeOrNull(fromUs), to: timeOrNull(toUs) };
}

/// What an input lacks that only the engine sees.
export function lossesOf({ clockJumps, cut }: Findings): Pick<Input, 'clockJumps' | 'cut'> {
  const jumps = clockJumps.map(({ frame, fromUs, toUs }) => ({ frame, seconds: (toUs - fromUs) / 1e6 }));
  return { ...(jumps.length === 0 ? {} : { clockJumps: jumps }), ...(cut.packets === 0 ? {} : { cut }) };
}

function timeOrNull(timeUs: number): string | null {
  return Number.isNaN(timeUs) ? null : rfc3339(timeUs);
}
