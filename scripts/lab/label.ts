/**
 * The label of a recording: what is truly in it. Which flows there are comes
 * from tshark; what they are (roles.ts) comes from the server's log, its open
 * ports and the addresses that the lab gave out.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type CaptureFlow, type End, readFlows } from './flows.js';
import { type Knowledge, nameFlows } from './roles.js';
import type { CapturePoint } from './topology.js';

export type LabelKind = 'session' | 'attempt' | 'management' | 'clone' | 'self' | 'benign';

export interface LabelledFlow {
  readonly protocol: CaptureFlow['protocol'];
  readonly role: string;
  readonly client: End;
  readonly server: End;
  readonly start: number;
  readonly end?: number;
  readonly bytesFromClient?: number;
  readonly bytesFromServer?: number;
  readonly packets: number;
  readonly synSeen?: boolean;
}

export interface LabelledSession {
  readonly carrier: string;
  readonly connections: LabelledFlow[];
}

/** How a capture was made, as far as the scenario knows it. */
export interface Recording {
  readonly software: Readonly<Record<string, string>>;
  readonly scenario: string;
  readonly description: string;
  readonly label: LabelKind;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly commands: readonly string[];
  readonly clientStatus: Readonly<Record<string, string>>;
  readonly verified: Readonly<Record<string, unknown>>;
  readonly notes: string;
}

export interface Label extends Recording {
  readonly capture: string;
  readonly sha256: string;
  readonly recordedAt: string;
  readonly seed: number;
  readonly capturePoint: CapturePoint;
  readonly sessions: LabelledSession[];
  readonly others: LabelledFlow[];
  readonly otherPackets: Readonly<Record<string, number>>;
}

export async function makeLabel(
  recording: Recording,
  capturePoint: CapturePoint,
  file: string,
  capture: string,
  seed: number,
  knowledge: Knowledge,
): Promise<Label> {
  const { flows, icmp, otherPackets } = await readFlows(file);
  const sessions = new Map<string, LabelledSession>();
  const others: LabelledFlow[] = [];
  const pings = knowledge.carried?.carrier === 'icmp' ? icmp : [];
  for (const { flow, role, session, carrier } of nameFlows(
    [...flows, ...pings],
    recording.label,
    knowledge,
  )) {
    const entry = describe(flow, role);
    if (session === undefined || carrier === undefined) {
      others.push(entry);
      continue;
    }
    const existing = sessions.get(session) ?? { carrier, connections: [] };
    existing.connections.push(entry);
    sessions.set(session, existing);
  }
  for (const session of sessions.values()) session.connections.sort(byImportance);
  const { software, scenario, description, label, ...rest } = recording;
  return {
    capture,
    sha256: createHash('sha256').update(readFileSync(file)).digest('hex'),
    recordedAt: `${new Date().toISOString().slice(0, 19)}Z`,
    seed,
    ...{ software, scenario, description, capturePoint, label, ...rest },
    sessions: [...sessions.values()],
    others: others.sort(byImportance),
    otherPackets,
  };
}

function describe(flow: CaptureFlow, role: string): LabelledFlow {
  const { protocol, client, server, start, end, bytesFromClient, bytesFromServer, packets, synSeen } = flow;
  if (protocol !== 'tcp') return { protocol, role, client, server, start, packets };
  return { protocol, role, client, server, start, end, bytesFromClient, bytesFromServer, packets, synSeen };
}

/** The primary first, then TCP, then the rest, each by time. */
function byImportance(a: LabelledFlow, b: LabelledFlow): number {
  const rank = (flow: LabelledFlow) => (flow.role === 'primary' ? 0 : flow.protocol === 'tcp' ? 1 : 2);
  return rank(a) - rank(b) || a.start - b.start;
}

/** What a label has to hold; where a number is not given, any will do. */
export interface Expectation {
  readonly connections?: number | undefined;
  readonly sessions?: number | undefined;
  readonly udpAcceleration?: boolean | undefined;
}

const CLONES = ['openvpn-clone', 'ike-clone', 'l2tp-clone'];

/** What cannot be right in a label of this kind; the recording is then thrown away. */
export function faultsOf(label: Label, expected: Expectation): string[] {
  const faults: string[] = [];
  const unknown = label.others.filter((flow) => flow.role === 'unknown');
  for (const { protocol, client, server } of unknown) {
    faults.push(
      `nobody knows the flow ${protocol} ${client.ip}:${client.port} > ${server.ip}:${server.port}`,
    );
  }
  const wanted = label.label === 'session' ? (expected.sessions ?? 1) : 0;
  if (label.sessions.length !== wanted)
    faults.push(`it holds ${label.sessions.length} sessions, not ${wanted}`);
  for (const session of label.sessions) {
    const counted = session.connections.filter((each) => each.role !== 'udp-acceleration').length;
    const due = session.carrier === 'ssh' ? 1 : expected.connections;
    if (due !== undefined && counted !== due) {
      faults.push(`a session holds ${counted} connections, not ${due}`);
    }
    if (expected.udpAcceleration && !session.connections.some((each) => each.role === 'udp-acceleration')) {
      faults.push('a session holds no UDP acceleration');
    }
  }
  const proofs = { attempt: ['attempt', 'unreachable'], clone: CLONES, self: ['dns', 'nat-t'] };
  const { label: kind } = label;
  const roles = kind in proofs ? proofs[kind as keyof typeof proofs] : [kind];
  if (kind !== 'session' && !label.others.some((flow) => roles.includes(flow.role))) {
    faults.push(`it holds no flow of the kind ${kind}`);
  }
  return faults;
}
