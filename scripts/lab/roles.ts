/** Names the flows of a capture: which session each is part of and in what role, or what else it is. */
import type { CaptureFlow, End } from './flows.js';
import type { LabelKind } from './label.js';
import type { LoggedConnection } from './server-log.js';
import type { Site } from './variation.js';
import type { Carried, Carrier } from './ways.js';

/** What is known about the ends of the flows. */
export interface Knowledge {
  readonly site: Site;
  /** The VPN server's connections, in the order in which it took them. */
  readonly logged: ReadonlyMap<string, LoggedConnection>;
  /** The VPN server's UDP ports before any session, and those that it opened for sessions. */
  readonly standingUdpPorts: ReadonlySet<number>;
  readonly sessionUdpPorts: ReadonlySet<number>;
  /** How sessions travel in front of a proxy or an SSH server, or over what R-UDP. */
  readonly carried?: Carried | undefined;
  /** Servers of ordinary traffic beside a session, and the target of log-ins that no VPN server logs. */
  readonly benign?: readonly End[];
  readonly attempted?: End | undefined;
  /** A service that speaks another VPN protocol. */
  readonly clone?: (End & { readonly speaks: string }) | undefined;
  /** The session ends before its client knows: what joins it later is let in by the log and gone at once. */
  readonly dies?: boolean | undefined;
}

/** In seconds. */
const A_MOMENT = 1;

export interface NamedFlow {
  readonly flow: CaptureFlow;
  readonly role: string;
  readonly session?: string | undefined;
  readonly carrier?: Carrier | undefined;
}

interface Latest {
  readonly session: string;
  readonly carrier: Carrier;
}

export function nameFlows(
  flows: readonly CaptureFlow[],
  label: LabelKind,
  knowledge: Knowledge,
): NamedFlow[] {
  const ordered = flows
    .map((flow) => orient(flow, knowledge.site))
    .sort((a, b) => order(a, knowledge) - order(b, knowledge) || a.start - b.start);
  const legs = proxiedLegs(ordered, knowledge);
  const latest = new Map<string, Latest>();
  return ordered.map((flow) => {
    const leg = legs.get(flow);
    const logged = leg ?? loggedFor(flow, knowledge);
    const role = leg?.role ?? roleOf(flow, label, knowledge);
    // A client has one session at a time; of one that passes a proxy there is one in front of it and one behind.
    const owner = `${flow.client.ip} ${leg !== undefined}`;
    if (role === 'carrier') return { flow, role, session: 'carried', carrier: 'ssh' };
    if (role === 'primary') {
      const carrier = leg || flow.protocol !== 'tcp' ? knowledge.carried!.carrier : 'tcp';
      const session = `${logged?.session ?? 'session'} ${carrier}`;
      latest.set(owner, { session, carrier });
      return { flow, role, session, carrier };
    }
    if (role === 'additional' || role === 'udp-acceleration') return { flow, role, ...latest.get(owner) };
    return { flow, role };
  });
}

/**
 * A session's primary comes before what is part of it. Of connections older than the recording the server's
 * log knows the order; UDP acceleration may have begun before the primary.
 */
function order(flow: CaptureFlow, knowledge: Knowledge): number {
  const { site, sessionUdpPorts, logged } = knowledge;
  const own = loggedFor(flow, knowledge);
  if (own && flow.protocol === 'tcp' && !flow.synSeen) return [...logged.values()].indexOf(own) - logged.size;
  const isServer = flow.server.ip === site.serverAddress && sessionUdpPorts.has(flow.server.port ?? 0);
  return flow.protocol === 'udp' && isServer && !own ? 1 : 0;
}

function loggedFor(flow: CaptureFlow, { logged }: Knowledge): LoggedConnection | undefined {
  return logged.get(`${flow.client.ip}:${flow.client.port}`);
}

/**
 * The server does not know the flows in front of a proxy. They come in the order
 * of those behind it, a second apart; if their numbers differ, nobody knows them.
 */
function proxiedLegs(
  flows: readonly CaptureFlow[],
  knowledge: Knowledge,
): Map<CaptureFlow, LoggedConnection> {
  const { carried, logged, site } = knowledge;
  if (!carried || !['http-proxy', 'socks4', 'socks5'].includes(carried.carrier)) return new Map();
  const inFront = flows.filter((flow) => flow.protocol === 'tcp' && isEnd(flow.server, carried.end));
  const behind = [...logged.values()].filter((each) => each.client.startsWith(`${site.proxyAddress}:`));
  if (inFront.length !== behind.length) return new Map();
  return new Map(inFront.map((flow, index) => [flow, behind[index]!]));
}

function isEnd(end: End, other: End | undefined): boolean {
  return other !== undefined && end.ip === other.ip && end.port === other.port;
}

/** Where no SYN was seen, the lab's client is called the client whoever spoke first. */
function orient(flow: CaptureFlow, site: Site): CaptureFlow {
  const clients = [site.clientAddress, site.secondAddress, site.clientAddress6];
  const isClear = flow.protocol === 'tcp' && (flow.synSeen || flow.accepted);
  if (isClear || !clients.includes(flow.server.ip) || clients.includes(flow.client.ip)) return flow;
  return {
    ...flow,
    client: flow.server,
    server: flow.client,
    bytesFromClient: flow.bytesFromServer,
    bytesFromServer: flow.bytesFromClient,
  };
}

function roleOf(flow: CaptureFlow, label: LabelKind, knowledge: Knowledge): string {
  if (isEnd(flow.server, knowledge.clone)) return `${knowledge.clone!.speaks}-clone`;
  if (flow.protocol === 'tcp') return tcpRole(flow, label, knowledge);
  if (flow.protocol === 'icmp') {
    return flow.server.ip === knowledge.site.serverAddress ? 'primary' : 'unknown';
  }
  return udpRole(flow, label, knowledge);
}

function tcpRole(flow: CaptureFlow, label: LabelKind, knowledge: Knowledge): string {
  const { carried, benign = [], attempted } = knowledge;
  if (label === 'benign' || benign.some((end) => isEnd(flow.server, end))) return 'benign';
  if (carried?.carrier === 'ssh' && isEnd(flow.server, carried.end)) return 'carrier';
  const logged = loggedFor(flow, knowledge)?.role;
  if (logged === 'additional' && knowledge.dies && flow.end - flow.start < A_MOMENT) return 'refused';
  if (logged) return logged;
  if (flow.synSeen && !flow.accepted) return 'unreachable';
  if (isEnd(flow.server, attempted)) return 'attempt';
  return label === 'self' ? 'background' : 'unknown';
}

function udpRole(flow: CaptureFlow, label: LabelKind, knowledge: Knowledge): string {
  const { site, standingUdpPorts, sessionUdpPorts, benign = [] } = knowledge;
  const { client, server } = flow;
  const port = server.port ?? 0;
  const isServer = server.ip === site.serverAddress;
  const logged = loggedFor(flow, knowledge)?.role;
  if (logged && isServer && label !== 'benign') return logged;
  if (client.port === 137 || client.ip === site.serverAddress) {
    if (client.port === 137 || port === 137) return 'netbios-query-by-server';
  }
  if (port === 137) return 'netbios-query';
  if (port === 5004) return 'nat-t';
  if (port === 53) return isServer ? 'rudp-over-dns' : 'dns';
  if (isServer && sessionUdpPorts.has(port)) return 'udp-acceleration';
  if (isServer && standingUdpPorts.has(port)) return 'rudp-attempt';
  if (label === 'benign' || benign.some((end) => isEnd(server, end))) return 'benign';
  return label === 'self' || client.ip === site.serverAddress ? 'background' : 'unknown';
}
