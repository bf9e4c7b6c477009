/**
 * The label of a recording: what is truly in it. Which flows there are comes
 * from tshark; what they are comes from the server's log, its open ports and
 * the addresses that the lab gave out.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type CaptureFlow, type End, readFlows } from './flows.js';
import type { LoggedConnection } from './server-log.js';
import type { CapturePoint } from './topology.js';
import type { Site } from './variation.js';

export interface LabelledFlow {
  readonly protocol: 'tcp' | 'udp';
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
  readonly capturePoint: CapturePoint;
  readonly label: 'session' | 'attempt' | 'management' | 'benign';
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
  readonly sessions: LabelledSession[];
  readonly others: LabelledFlow[];
  readonly otherPackets: Readonly<Record<string, number>>;
}

/** What is known about the ends of the flows. */
export interface Knowledge {
  readonly site: Site;
  readonly logged: ReadonlyMap<string, LoggedConnection>;
  /** The VPN server's UDP ports before any session, and those that it opened for sessions. */
  readonly standingUdpPorts: ReadonlySet<number>;
  readonly sessionUdpPorts: ReadonlySet<number>;
}

export async function makeLabel(
  recording: Recording,
  file: string,
  capture: string,
  seed: number,
  knowledge: Knowledge,
): Promise<Label> {
  const { flows, otherPackets } = await readFlows(file);
  const named = flows.map((flow) => {
    const oriented = orient(flow, knowledge.site);
    return { flow: oriented, role: roleOf(oriented, recording.label, knowledge) };
  });
  const sessions = new Map<string, LabelledSession>();
  const others: LabelledFlow[] = [];
  let latest: LabelledSession | undefined;
  for (const { flow, role } of named.sort((a, b) => a.flow.start - b.flow.start)) {
    const entry = describe(flow, role);
    const session = knowledge.logged.get(`${flow.client.ip}:${flow.client.port}`)?.session;
    if (role === 'primary' && session) {
      latest = { carrier: 'tcp', connections: [entry] };
      sessions.set(session, latest);
    } else if (latest && (role === 'additional' || role === 'udp-acceleration')) {
      latest.connections.push(entry);
    } else {
      others.push(entry);
    }
  }
  for (const session of sessions.values()) session.connections.sort(byProtocol);
  const { software, scenario, description, capturePoint, label, ...rest } = recording;
  return {
    capture,
    sha256: createHash('sha256').update(readFileSync(file)).digest('hex'),
    recordedAt: `${new Date().toISOString().slice(0, 19)}Z`,
    seed,
    ...{ software, scenario, description, capturePoint, label, ...rest },
    sessions: [...sessions.values()],
    others: others.sort(byProtocol),
    otherPackets,
  };
}

/** UDP has no SYN: the lab's client is called the client whoever spoke first. */
function orient(flow: CaptureFlow, site: Site): CaptureFlow {
  if (flow.protocol === 'tcp' || flow.server.ip !== site.clientAddress) return flow;
  return {
    ...flow,
    client: flow.server,
    server: flow.client,
    bytesFromClient: flow.bytesFromServer,
    bytesFromServer: flow.bytesFromClient,
  };
}

function roleOf(flow: CaptureFlow, label: Recording['label'], knowledge: Knowledge): string {
  const { site, logged, standingUdpPorts, sessionUdpPorts } = knowledge;
  const { client, server } = flow;
  if (flow.protocol === 'tcp') {
    if (label === 'benign') return 'benign';
    return logged.get(`${client.ip}:${client.port}`)?.role ?? 'unknown';
  }
  if (client.port === 137) return 'netbios-query-by-server';
  if (server.port === 137) return 'netbios-query';
  if (server.port === 5004) return 'nat-t';
  if (server.port === 53) return server.ip === site.serverAddress ? 'rudp-over-dns' : 'dns';
  if (server.ip === site.serverAddress && sessionUdpPorts.has(server.port)) return 'udp-acceleration';
  if (server.ip === site.serverAddress && standingUdpPorts.has(server.port)) return 'rudp-attempt';
  return label === 'benign' ? 'benign' : 'unknown';
}

function describe(flow: CaptureFlow, role: string): LabelledFlow {
  const { protocol, client, server, start, end, bytesFromClient, bytesFromServer, packets, synSeen } = flow;
  if (protocol === 'udp') return { protocol, role, client, server, start, packets };
  return { protocol, role, client, server, start, end, bytesFromClient, bytesFromServer, packets, synSeen };
}

const PROTOCOLS = ['tcp', 'udp'];

function byProtocol(a: LabelledFlow, b: LabelledFlow): number {
  return PROTOCOLS.indexOf(a.protocol) - PROTOCOLS.indexOf(b.protocol) || a.start - b.start;
}

/** What cannot be right in a label of this kind; the recording is then thrown away. */
export function faultsOf(label: Label, expectedConnections?: number): string[] {
  const faults: string[] = [];
  const unknown = label.others.filter((flow) => flow.role === 'unknown');
  for (const { protocol, client, server } of unknown) {
    faults.push(
      `nobody knows the flow ${protocol} ${client.ip}:${client.port} > ${server.ip}:${server.port}`,
    );
  }
  const sessions = label.sessions.length;
  if (label.label === 'session' ? sessions !== 1 : sessions !== 0)
    faults.push(`it holds ${sessions} sessions`);
  const tcp = label.sessions.flatMap((each) => each.connections).filter((each) => each.protocol === 'tcp');
  if (expectedConnections !== undefined && tcp.length !== expectedConnections) {
    faults.push(`it holds ${tcp.length} TCP connections of the session, not ${expectedConnections}`);
  }
  if (label.label !== 'session' && !label.others.some((flow) => flow.role === label.label)) {
    faults.push(`it holds no flow of the kind ${label.label}`);
  }
  return faults;
}
