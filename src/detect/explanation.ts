/// Why a session was reported, or a flow was not: the shapes of the account.

import type { CounterEvidence, Encapsulation, Endpoint, Session } from './findings.js';

/// A run of records of one direction that mean the same.
export interface StripRow {
  frame: number;
  /// Seconds since the flow began, and since the row before.
  atSeconds: number;
  gapSeconds: number;
  fromClient: boolean;
  /// Bytes of plaintext where they can be told (the most, with block ciphers),
  /// else as they were on the wire.
  bytes: number;
  records: number;
  /// What it is taken for; empty where nothing is known of it.
  role: string;
}

export interface Strip {
  /// What the rows are made of.
  unit: 'TLS records' | 'turns of payload';
  rows: StripRow[];
  /// Records or turns that are not drawn.
  omitted: number;
}

/// One message of the log-in: what was expected, what came.
export interface ScriptStep {
  name: string;
  expected: string;
  seen: string;
  held: boolean;
  frame: number | null;
}

/// One clause of the profile.
export interface ClauseAccount {
  clause: string;
  held: boolean;
  expected: string;
  seen: string;
  frames: number[];
  steps: ScriptStep[];
}

export interface Explanation {
  /// The position of its capture in the report's `inputs`.
  input: number;
  protocol: string;
  client: Endpoint;
  server: Endpoint;
  /// Tags, labels and tunnels around its packets, from the outside in; absent if there are none.
  encapsulation?: Encapsulation[];
  start: string;
  end: string;
  packets: number;
  bytesFromClient: number;
  bytesFromServer: number;
  /// The session that it belongs to, if it was reported.
  session: Session | null;
  /// What became of the flow, in a sentence or two.
  summary: string;
  strip: Strip;
  clauses: ClauseAccount[];
  against: CounterEvidence[];
  caveats: string[];
  /// The benign application that comes nearest.
  nearest: string;
  /// What would raise the verdict.
  raise: string;
  /// Wireshark display filters: the packets of the session or flow, and the frames of the evidence.
  filters: { flow: string; frames: string | null };
}
