/// The report, version 1: the one object behind every output format. The JSON
/// format is this object, written down; `report-v1.schema.json` describes it.

import type { ServerEntry, Session, Sighting } from '../detect/findings.js';

export type { ClauseAccount, Explanation, ScriptStep, Strip, StripRow } from '../detect/explanation.js';
export type {
  Carrier,
  Connection,
  ConnectionRole,
  CounterEvidence,
  Encapsulation,
  Endpoint,
  Evidence,
  FrameReference,
  ServerEntry,
  Session,
  Sighting,
  Verdict,
} from '../detect/findings.js';
export { isAtLeast, VERDICTS } from '../detect/findings.js';

export const SCHEMA_VERSION = 1;

/// One place where an input was broken: from `offset` on (bytes from the start
/// of the uncompressed input) `bytesLost` bytes could not be read. Reading went on after them.
export interface Damage {
  offset: number;
  reason: string;
  bytesLost: number;
  /// The number of the last frame before it, 0 if there is none.
  afterFrame: number;
  /// Times of the last packet before and the first after it; null if there is none.
  from: string | null;
  to: string | null;
}

/// One place where the times of neighbouring packets jump (see `Diagnostics.clockJumps`).
export interface ClockJump {
  /// The number of the first frame after it.
  frame: number;
  /// From the packet before to this one; negative if the clock went back.
  seconds: number;
}

/// One capture that was read, or could not be.
export interface Input {
  path: string;
  /// `pcap`, `pcapng`, `snoop`, or null if it is no capture.
  format: string | null;
  /// `gzip`, `zstd`, `lz4`, `bzip2`, `xz`, or null.
  compression: string | null;
  /// Bytes as stored: of a compressed file, the compressed ones.
  bytes: number;
  packets: number;
  firstPacket: string | null;
  lastPacket: string | null;
  /// Packets that the recording side says it lost (pcapng Interface Statistics), if it says so.
  droppedByCapture?: number;
  /// Why nothing could be read from this path (missing, unreadable, no capture).
  error?: string;
  /// The first places, in file order.
  damage: Damage[];
  /// Places beyond those, if there are more.
  damageLeftOut?: { places: number; bytesLost: number };
  /// The first jumps of the clock, if there are any; `diagnostics.clockJumps` counts all.
  clockJumps?: ClockJump[];
  /// Packets stored shorter than they were, if there are any: how many, and the
  /// most bytes that any of them holds, which is mostly the snap length.
  cut?: { packets: number; longest: number };
  /// Limits that the file hit (docs/limits.md), and how often, if it did.
  limitsHit?: Record<string, number>;
}

/// What happened on the way from the packets to the findings. Depends on the
/// packets alone, never on container, compression, chunking or jobs.
export interface Diagnostics {
  packets: number;
  /// Bytes of the packets on the wire, link layer included.
  bytes: number;
  /// Packets stored shorter than they were, and the bytes that this left out.
  cutPackets: number;
  cutBytes: number;
  /// Packets that carry no IP (ARP, spanning tree and so on).
  nonIpPackets: number;
  /// Packets that could not be decoded, by layer and reason.
  undecodable: Record<string, Record<string, number>>;
  /// Fragments of IP datagrams; the datagrams that they made whole, that stayed
  /// incomplete, and that were given up (overlaps, false lengths, want of room).
  fragments: { received: number; reassembled: number; incomplete: number; givenUp: number };
  flows: { tcp: number; udp: number; icmp: number };
  /// Flows that began before the capture or whose start was not recorded.
  midstreamFlows: number;
  /// Flows dropped early because a table was full.
  evictedFlows: number;
  /// TCP flows with payload of which only one direction was captured.
  oneSidedFlows: number;
  /// Limits of the flow layer that were hit (docs/limits.md), and how often.
  limitsHit: Record<string, number>;
  /// Places where bytes of a followed TCP stream were never seen.
  gaps: number;
  /// How often the packet times went back by more than a second, or forward by more than an hour.
  clockJumps: { back: number; forward: number };
  /// Sightings left out because there were too many.
  sightingsLeftOut: number;
}

export function newDiagnostics(): Diagnostics {
  return {
    packets: 0,
    bytes: 0,
    cutPackets: 0,
    cutBytes: 0,
    nonIpPackets: 0,
    undecodable: {},
    fragments: { received: 0, reassembled: 0, incomplete: 0, givenUp: 0 },
    flows: { tcp: 0, udp: 0, icmp: 0 },
    midstreamFlows: 0,
    evictedFlows: 0,
    oneSidedFlows: 0,
    limitsHit: {},
    gaps: 0,
    clockJumps: { back: 0, forward: 0 },
    sightingsLeftOut: 0,
  };
}

/// Adds what `part` counted to `total`.
export function addDiagnostics(total: Diagnostics, part: Diagnostics): void {
  total.packets += part.packets;
  total.bytes += part.bytes;
  total.cutPackets += part.cutPackets;
  total.cutBytes += part.cutBytes;
  total.nonIpPackets += part.nonIpPackets;
  for (const [layer, reasons] of Object.entries(part.undecodable)) {
    total.undecodable[layer] ??= {};
    const counts = total.undecodable[layer];
    for (const [reason, count] of Object.entries(reasons)) counts[reason] = (counts[reason] ?? 0) + count;
  }
  total.fragments.received += part.fragments.received;
  total.fragments.reassembled += part.fragments.reassembled;
  total.fragments.incomplete += part.fragments.incomplete;
  total.fragments.givenUp += part.fragments.givenUp;
  total.flows.tcp += part.flows.tcp;
  total.flows.udp += part.flows.udp;
  total.flows.icmp += part.flows.icmp;
  total.midstreamFlows += part.midstreamFlows;
  total.evictedFlows += part.evictedFlows;
  total.oneSidedFlows += part.oneSidedFlows;
  for (const [limit, count] of Object.entries(part.limitsHit)) {
    total.limitsHit[limit] = (total.limitsHit[limit] ?? 0) + count;
  }
  total.gaps += part.gaps;
  total.clockJumps.back += part.clockJumps.back;
  total.clockJumps.forward += part.clockJumps.forward;
  total.sightingsLeftOut += part.sightingsLeftOut;
}

export interface Report {
  schemaVersion: typeof SCHEMA_VERSION;
  tool: { name: string; version: string };
  run: {
    /// The command line.
    command: string;
    startedAt: string;
    finishedAt: string;
    /// False if the run was interrupted.
    complete: boolean;
    /// Files met inside folders that are no captures.
    otherFiles: number;
  };
  inputs: Input[];
  sessions: Session[];
  sightings: Sighting[];
  servers: ServerEntry[];
  diagnostics: Diagnostics;
}
