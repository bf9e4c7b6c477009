/// The engine with a second look at one flow, for explanations. It finds what
/// the engine finds; the engine itself does not know of it.

import { type FrameBatch, LINKTYPE_NO_PACKET } from './capture/frame-batch.js';
import { accountOfGroup, accountOfScript, raiseText } from './detect/clause-account.js';
import { counterEvidence, type Held } from './detect/clauses.js';
import type { TlsConnection } from './detect/connection.js';
import type { ClauseAccount, Explanation, Strip } from './detect/explanation.js';
import type { Connection, Endpoint, Session } from './detect/findings.js';
import type { SessionGroup } from './detect/grouping.js';
import { addressText } from './detect/identity.js';
import { nearestApplication } from './detect/nearest.js';
import { rfc3339 } from './detect/rfc3339.js';
import { encapsulationOf } from './detect/sessions.js';
import { rolesOf, stripOfRecords, stripOfTurns } from './detect/strip.js';
import { Engine, type Findings } from './engine.js';
import type { FlowEnd } from './flow/flow-table.js';
import { type FlowName, FlowTrace, isNamed, isSameEnd, type TracedFlow } from './flow/flow-trace.js';
import { FlowWatch, type WatchedFlow } from './flow/flow-watch.js';
import { TLS_APPLICATION_DATA } from './flow/tls-records.js';
import { softetherTls } from './profiles/softether-tls.js';
import { decodeFrame } from './wire/decode.js';
import { latin1 } from './wire/latin1.js';
import { Packet, PROTOCOL_TCP, PROTOCOL_UDP, STOP_NONE } from './wire/packet.js';

/// Frames named in a display filter.
const MAX_FILTER_FRAMES = 64;

const RULED_OUT = `The ClientHello offers ${softetherTls.neverOffered.protocol} (ALPN), which no client of SoftEther does; so a scan lets the flow go with the server's answer.`;

interface Judged {
  group: SessionGroup;
  held: Held;
  session: Session | null;
}

export class TracingEngine extends Engine {
  /// One for each time that the flow was seen, over all captures.
  readonly explanations: Explanation[] = [];
  /// Other flows that share an address with the one that was asked for, as text.
  readonly neighbours = new Set<string>();
  private readonly trace: { flow: FlowTrace; judged: Judged[] };
  private watch: FlowWatch;
  private readonly seen = new Packet();
  private position = 0;

  constructor(
    private readonly name: FlowName,
    hashSeed = 0,
  ) {
    const judged: Judged[] = [];
    const trace = {
      flow: new FlowTrace(name),
      judged,
      group: (group: SessionGroup, held: Held, session: Session | null) => {
        judged.push({ group, held, session });
      },
    };
    super({ trace, hashSeed });
    this.trace = trace;
    this.watch = new FlowWatch(name);
  }

  override begin(input: number): void {
    super.begin(input);
    this.position = input;
  }

  override push(batch: FrameBatch): void {
    const { bytes, view, offset, capturedLen, originalLen, linkType, timeUs, frame } = batch;
    for (let i = 0; i < batch.count; i++) {
      if (linkType[i] === LINKTYPE_NO_PACKET) continue;
      const stop = decodeFrame(view, offset[i]!, capturedLen[i]!, originalLen[i]!, linkType[i]!, this.seen);
      if (stop === STOP_NONE) this.watch.packet(this.seen, bytes, timeUs[i]!, frame[i]!);
    }
    super.push(batch);
  }

  override end(): Findings {
    const findings = super.end();
    for (const flow of this.watch.flows) this.explanations.push(this.explain(flow, findings));
    for (const { protocol, a, b } of this.watch.neighbours.values()) {
      this.neighbours.add(`${protocolName(protocol)} ${endText(a)} ${endText(b)}`);
    }
    this.watch = new FlowWatch(this.name);
    this.trace.flow.flows.length = 0;
    this.trace.judged.length = 0;
    return findings;
  }

  private explain(flow: WatchedFlow, findings: Findings): Explanation {
    const traced = this.trace.flow.flows.find(({ firstUs }) => isDuring(firstUs, flow)) ?? null;
    const judged = this.trace.judged.find(({ group }) => connectionIn(group, flow) !== undefined);
    const session =
      judged?.session ??
      findings.sessions.find(({ connections }) => connections.some((connection) => isOf(connection, flow))) ??
      null;
    const connection = judged === undefined ? undefined : connectionIn(judged.group, flow);
    const { strip, clauses, summary } = accountOf(flow, traced, judged, connection, session);
    const frames = clauses.length > 0 ? clauses.flatMap((clause) => clause.frames) : framesOf(session);
    const client = connection?.client ?? traced?.client ?? flow.client;
    const isTurned = !isSameEnd(client, flow.client);
    return {
      input: this.position,
      protocol: protocolName(flow.protocol),
      client: endpoint(client, flow.protocol),
      server: endpoint(isTurned ? flow.client : flow.server, flow.protocol),
      ...encapsulationOf(flow.layers),
      start: rfc3339(flow.firstUs),
      end: rfc3339(flow.lastUs),
      packets: flow.packets,
      bytesFromClient: isTurned ? flow.bytesFromServer : flow.bytesFromClient,
      bytesFromServer: isTurned ? flow.bytesFromClient : flow.bytesFromServer,
      session,
      summary,
      strip,
      clauses,
      against:
        session?.against ??
        (judged === undefined ? [] : counterEvidence(judged.group, judged.group.primary.profile)),
      caveats: session?.caveats ?? [],
      nearest: nearestApplication(flow),
      raise: raise(session, judged),
      filters: { flow: flowFilter(flow, session), frames: framesFilter(frames) },
    };
  }
}

function accountOf(
  flow: WatchedFlow,
  traced: TracedFlow | null,
  judged: Judged | undefined,
  connection: TlsConnection | undefined,
  session: Session | null,
): { strip: Strip; clauses: ClauseAccount[]; summary: string } {
  if (judged !== undefined && connection !== undefined) {
    return {
      strip: stripOfConnection(flow, traced, connection),
      clauses: accountOfGroup(judged.group, judged.held),
      summary: judgedText(judged, connection),
    };
  }
  if (session !== null) {
    const clauses = session.evidence.map(({ feature, detail, frames }): ClauseAccount => {
      return {
        clause: feature,
        held: true,
        expected: '',
        seen: detail,
        frames: frames.map(({ frame }) => frame),
        steps: [],
      };
    });
    return { strip: stripOfTurns(flow), clauses, summary: `Reported as ${session.verdict}.` };
  }
  if (traced === null || traced.midstream || traced.records.length === 0) {
    return { strip: stripOfTurns(flow), clauses: [], summary: unfollowedText(flow, traced) };
  }
  // What a hello rules out is let go with the server's answer; here the records are compared all the same.
  const compared = traced.isRuledOut ? { ...traced, refusedAfter: null } : traced;
  const { clause, summary, roles, firstData } = accountOfScript(compared, softetherTls);
  const known = { messages: roles, firstData, firstTunnel: null };
  return {
    strip: stripOfRecords(traced, traced.protection, known, softetherTls),
    clauses: [clause],
    summary: `Not reported. ${traced.isRuledOut ? ruledOutText(summary, [...roles.values()]) : summary}`,
  };
}

function stripOfConnection(flow: WatchedFlow, traced: TracedFlow | null, connection: TlsConnection): Strip {
  const roles = rolesOf(connection);
  const { protection, log, firstUs } = connection;
  if (connection.profile.unit === 'turns') return stripOfTurns(flow);
  if (traced !== null) return stripOfRecords(traced, protection, roles, connection.profile);
  if (log.count === 0) return stripOfTurns(flow);
  // Inside another carrier only the log-in is kept.
  const records = log.length.map((length, i) => ({
    fromClient: log.fromClient[i] === 1,
    type: TLS_APPLICATION_DATA,
    length,
    timeUs: log.timeUs[i]!,
    frame: log.frame[i]!,
  }));
  return stripOfRecords({ records, unkept: 0, firstUs }, protection, roles, connection.profile);
}

function judgedText({ session, group }: Judged, connection: TlsConnection): string {
  const role =
    connection === group.primary
      ? 'its first connection'
      : group.refused.includes(connection)
        ? 'a further connection that the server turned away'
        : 'a further connection';
  if (session !== null) return `Reported as ${session.verdict}; this is ${role}.`;
  if (connection.kind === 'running') {
    return 'Not reported. The connection was up before the capture began, and what it does meets no rule for a verdict.';
  }
  return 'Not reported. It begins like a connection of a session, but what it does meets no rule for a verdict.';
}

function unfollowedText(
  { protocol, firstPayload, startSeen }: WatchedFlow,
  traced: TracedFlow | null,
): string {
  if (firstPayload === null) return 'Not reported: no packet of the flow carries payload.';
  if (protocol === PROTOCOL_UDP) {
    return 'Not reported: the datagrams neither open R-UDP nor chain by their nonces as UDP acceleration does.';
  }
  if (protocol !== PROTOCOL_TCP) return 'Not reported: the messages hold no opening of R-UDP.';
  if (traced?.midstream) {
    return 'Not reported: the flow was running before the capture began, and after its patience the engine had seen nothing of what a tunnel does (keep-alives, polls of a hub, Ethernet frames).';
  }
  const text = latin1(firstPayload.bytes);
  if (text.startsWith('SSH-')) return 'Not reported: SSH, and nothing in it behaves like a session.';
  if (traced !== null)
    return 'Not reported: the flow begins like TLS or asks a proxy, but no TLS record follows.';
  const bytes = [...firstPayload.bytes.subarray(0, 6)].map((byte) => byte.toString(16).padStart(2, '0'));
  const side = firstPayload.fromClient ? 'client' : 'server';
  const start = startSeen ? 'The first payload' : 'The first payload in the capture (the start is missing)';
  return `Not reported. ${start}, from the ${side} in frame ${firstPayload.frame}, begins with ${bytes.join(' ')}: no TLS, no request to a proxy, no SSH. Such a flow is let go at once.`;
}

/// `messages` of the log-in are those that fit, and what the next was not.
function ruledOutText(summary: string, messages: readonly string[]): string {
  const isLogin = messages.some((name) => name === 'welcome' || name === 'attach answer');
  return `${RULED_OUT} ${isLogin ? 'Its records would be those of a log-in.' : summary}`;
}

function raise(session: Session | null, judged: Judged | undefined): string {
  if (judged !== undefined) {
    const own = raiseText(session?.verdict ?? null, judged.held, judged.group.primary.profile);
    const isShort = session?.against.some(({ feature }) => feature === 'tiny-records');
    return isShort ? 'Nothing: records that are shorter than any block rule a tunnel out.' : own;
  }
  if (session?.verdict === 'confirmed') return 'Nothing is missing: this is the highest verdict.';
  return session === null
    ? 'Nothing in this flow would; another flow of the same hosts may, or a capture that holds the start of the connection.'
    : 'A longer stretch of the connection, with its start.';
}

/// True if something began while the flow was there.
function isDuring(us: number, { firstUs, lastUs }: WatchedFlow): boolean {
  return us >= firstUs && us <= lastUs;
}

function connectionIn(group: SessionGroup, flow: WatchedFlow): TlsConnection | undefined {
  const name: FlowName = { protocol: null, ends: [flow.client, flow.server] };
  return [group.primary, ...group.additional, ...group.refused].find(
    ({ client, server, firstUs, protocol }) =>
      isDuring(firstUs, flow) &&
      (protocol === 'icmp'
        ? flow.client.port === 0 && isNamed(name, { ...client, port: 0 }, { ...server, port: 0 })
        : isNamed(name, client, server)),
  );
}

function isOf({ protocol, client, server, start, end }: Connection, flow: WatchedFlow): boolean {
  if (protocol !== protocolName(flow.protocol)) return false;
  const ends = [flow.client, flow.server].map((end) => `${addressText(end.address)} ${end.port}`).sort();
  const own = [client, server].map(({ ip, port }) => `${ip} ${port ?? 0}`).sort();
  return ends.join() === own.join() && start <= rfc3339(flow.lastUs) && end >= rfc3339(flow.firstUs);
}

function framesOf(session: Session | null): number[] {
  return session === null ? [] : session.evidence.flatMap(({ frames }) => frames.map(({ frame }) => frame));
}

function flowFilter(flow: WatchedFlow, session: Session | null): string {
  const own = filterOf(
    protocolName(flow.protocol),
    endpoint(flow.client, flow.protocol),
    endpoint(flow.server, flow.protocol),
  );
  if (session === null) return own;
  const all = session.connections.map(({ protocol, client, server }) => filterOf(protocol, client, server));
  return all.length === 1 ? all[0]! : all.map((filter) => `(${filter})`).join(' || ');
}

function filterOf(protocol: string, client: Endpoint, server: Endpoint): string {
  const isV6 = client.ip.includes(':');
  const addresses = [client, server].map(({ ip }) => `${isV6 ? 'ipv6' : 'ip'}.addr==${ip}`);
  const ports = [client, server].flatMap(({ port }) => (port === null ? [] : [`${protocol}.port==${port}`]));
  const parts = ports.length > 0 ? [...addresses, ...ports] : [...addresses, isV6 ? 'icmpv6' : 'icmp'];
  return parts.join(' && ');
}

function framesFilter(frames: readonly number[]): string | null {
  const distinct = [...new Set(frames)].sort((a, b) => a - b).slice(0, MAX_FILTER_FRAMES);
  return distinct.length === 0 ? null : `frame.number in {${distinct.join(', ')}}`;
}

function protocolName(protocol: number): 'tcp' | 'udp' | 'icmp' {
  if (protocol === PROTOCOL_TCP) return 'tcp';
  return protocol === PROTOCOL_UDP ? 'udp' : 'icmp';
}

function endpoint({ address, port }: FlowEnd, protocol: number): Endpoint {
  return { ip: addressText(address), port: protocolName(protocol) === 'icmp' ? null : port };
}

function endText({ address, port }: FlowEnd): string {
  const ip = addressText(address);
  return `${ip.includes(':') ? `[${ip}]` : ip}${port === 0 ? '' : `:${port}`}`;
}
