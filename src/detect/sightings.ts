/// SoftEther without a session: traces are weighed against what else is known of
/// their server, messages are merged. All at the end of a capture, or live bit by bit.

import type { ProxyRequest } from '../flow/preamble.js';
import type { Overheard } from './chatter.js';
import type { RudpAttempt } from './datagram-analysis.js';
import type { FrameReference, Offer, Sighting } from './findings.js';
import { addressText, flowKey, inOrder, type RawEnd } from './identity.js';
import { rfc3339 } from './rfc3339.js';
import type { SessionFacts } from './sessions.js';
import type { TlsTrace } from './tls-analysis.js';

/// Most sightings of one kind of thing that are kept, and most frames of each.
const MAX_SIGHTINGS = 4_096;
const MAX_FRAMES = 16;

/// Within this time a client tries all ways to its server: as long as a
/// connection may take (Cedar.h CONNECTING_TIMEOUT).
const SAME_ATTEMPT_US = 15_000_000;

interface Merged {
  kind: string;
  client: RawEnd;
  server: RawEnd;
  /// False if clients with several ports were merged.
  onePort: boolean;
  detail: string;
  firstUs: number;
  lastUs: number;
  count: number;
  frames: FrameReference[];
}

/// A session or a sighting over TCP, beside which other ways are tried.
interface Beside {
  client: string;
  host: string;
  firstUs: number;
  lastUs: number;
}

/// What a sighting says about a server.
export interface ServerHint {
  ip: string;
  /// Null where the server shows itself without a port that it serves at.
  port: number | null;
  client: string | null;
  names: string[];
  certificate: Uint8Array | null;
  /// Another VPN protocol that it speaks.
  offers: Offer | null;
  firstUs: number;
  lastUs: number;
}

/// What sightings are made of, before they are weighed.
export interface SightingParts {
  merged: [key: string, merged: Merged][];
  traces: TlsTrace[];
  attempts: RudpAttempt[];
  hints: ServerHint[];
  wanted: string[];
  leftOut: number;
}

export class SightingBuilder {
  /// What was left out because there was too much of it.
  leftOut = 0;
  private readonly merged = new Map<string, Merged>();
  /// Of `merged`, those not told yet by `news`.
  private fresh: Merged[] = [];
  private traces: TlsTrace[] = [];
  private attempts: RudpAttempt[] = [];
  private readonly hints: ServerHint[] = [];
  /// Servers that a trace made known, and what was reported beside attempts.
  private readonly known = new Set<string>();
  private reported: Beside[] = [];
  /// `client server`: the client asked a NAT-T server for that VPN server.
  private readonly wanted = new Set<string>();

  constructor(private readonly input: number) {}

  overheard(message: Overheard): void {
    const { kind, client, server, detail, timeUs, frame, registration, wanted, offers } = message;
    this.add(kind, client, server, detail, timeUs, timeUs, [frame]);
    if (wanted !== null && wanted.serverAddress !== null && this.wanted.size < MAX_SIGHTINGS) {
      this.wanted.add(`${addressText(client.address)} ${wanted.serverAddress}`);
    }
    if (this.hints.length >= MAX_SIGHTINGS) return;
    const seen = { certificate: null, firstUs: timeUs, lastUs: timeUs };
    if (registration !== null) {
      const names = registration.ddnsName === null ? [] : [registration.ddnsName];
      this.hints.push({ ...seen, ip: hostText(client), port: null, client: null, names, offers: null });
    }
    if (offers !== null) {
      const { port } = server;
      this.hints.push({ ...seen, ip: hostText(server), port, client: hostText(client), names: [], offers });
    }
  }

  trace(trace: TlsTrace): void {
    if (this.traces.length < MAX_SIGHTINGS) this.traces.push(trace);
    else this.leftOut++;
  }

  attempt(attempt: RudpAttempt): void {
    if (this.attempts.length < MAX_SIGHTINGS) this.attempts.push(attempt);
    else this.leftOut++;
  }

  /// True if something was left out, or may have been.
  get isFull(): boolean {
    const kept = [this.merged.size, this.traces.length, this.attempts.length, this.hints.length];
    return this.leftOut > 0 || Math.max(...kept, this.wanted.size) >= MAX_SIGHTINGS;
  }

  /// All that was added, while nothing of it has been told.
  get parts(): SightingParts {
    const { traces, attempts, hints, leftOut } = this;
    return { merged: [...this.merged], traces, attempts, hints, wanted: [...this.wanted], leftOut };
  }

  /// Adds what was added to another builder, of other flows of the same capture.
  absorb({ merged, traces, attempts, hints, wanted, leftOut }: SightingParts): void {
    for (const [key, message] of merged) this.absorbMerged(key, message);
    for (const trace of traces) this.trace(trace);
    for (const attempt of attempts) this.attempt(attempt);
    this.hints.push(...hints);
    for (const text of wanted) this.wanted.add(text);
    this.leftOut += leftOut;
  }

  private absorbMerged(key: string, other: Merged): void {
    const own = this.merged.get(key);
    if (own === undefined) {
      this.merged.set(key, other);
      return;
    }
    // Who was heard first gives its end.
    const [first, second] = own.frames[0]!.frame < other.frames[0]!.frame ? [own, other] : [other, own];
    this.merged.set(key, {
      ...first,
      onePort: first.onePort && second.onePort && first.client.port === second.client.port,
      firstUs: Math.min(first.firstUs, second.firstUs),
      lastUs: Math.max(first.lastUs, second.lastUs),
      count: first.count + second.count,
      frames: [...first.frames, ...second.frames].sort((a, b) => a.frame - b.frame).slice(0, MAX_FRAMES),
    });
  }

  /// The sightings beside these sessions, in the order of their times, and what they say of servers.
  finish(sessions: readonly SessionFacts[]): { sightings: Sighting[]; hints: ServerHint[] } {
    this.weigh(sessions, Number.POSITIVE_INFINITY);
    const sightings = [...this.merged.values()]
      .filter((merged) => !isExplained(merged, sessions))
      .map(describe)
      .sort(byTime);
    return { sightings, hints: inOrderOfTime(this.hints) };
  }

  /// What is new at `nowUs`, beside these sessions; each sighting once. What a session
  /// may explain waits for as long as a client tries. The oldest are forgotten.
  news(sessions: readonly SessionFacts[], nowUs: number): { sightings: Sighting[]; hints: ServerHint[] } {
    const untilUs = nowUs - SAME_ATTEMPT_US;
    this.weigh(sessions, untilUs);
    const isDue = ({ kind, firstUs }: Merged) => kind !== 'contact' || firstUs <= untilUs;
    const due = this.fresh.filter(isDue);
    this.fresh = this.fresh.filter((merged) => !isDue(merged));
    this.forgetOldest();
    const sightings = due.filter((merged) => !isExplained(merged, sessions)).map(describe);
    return { sightings, hints: this.hints.splice(0) };
  }

  /// Half of the room is kept for what is new.
  private forgetOldest(): void {
    for (const key of this.merged.keys()) {
      if (this.merged.size <= MAX_SIGHTINGS / 2) break;
      this.merged.delete(key);
    }
    for (const set of [this.known, this.wanted]) if (set.size > MAX_SIGHTINGS / 2) set.clear();
  }

  /// Decides on the traces and attempts that were over at `untilUs`.
  private weigh(sessions: readonly SessionFacts[], untilUs: number): void {
    const isOver = ({ lastUs }: { lastUs: number }) => lastUs <= untilUs;
    const due = inOrder(
      this.traces.filter(({ facts }) => isOver(facts)),
      ({ facts }) => facts,
    );
    const attempts = inOrder(this.attempts.filter(isOver), (attempt) => attempt);
    if (due.length === 0 && attempts.length === 0) return;
    this.traces = this.traces.filter(({ facts }) => !isOver(facts));
    this.attempts = this.attempts.filter((attempt) => !isOver(attempt));
    const known = new Set(sessions.map(targetText));
    const knownHosts = new Set(
      attempts.flatMap(({ answers, server }) => (answers > 0 ? hostText(server) : [])),
    );
    const ofSessions = new Set(sessions.flatMap(({ flows }) => flows));
    const traces = due.filter(({ facts }) => !ofSessions.has(flowKey(facts)));
    // What is sure by itself makes its server known to the rest.
    const isSure = (trace: TlsTrace) =>
      trace.kind !== 'question' &&
      (trace.kind === 'certificate' || trace.kind === 'openvpn' || trace.answerKnown || trace.beginsAsTools);
    for (const { facts } of traces.filter(isSure)) this.known.add(targetText(facts));
    this.reported = this.reported.slice(-MAX_SIGHTINGS);
    for (const trace of traces) {
      const { facts } = trace;
      const host = hostText(facts.server);
      const wanted = this.wanted.has(`${hostText(facts.client)} ${host}`);
      const target = targetText(facts);
      const related = wanted || known.has(target) || this.known.has(target) || knownHosts.has(host);
      if (!isSure(trace) && !(trace.kind === 'question' ? wanted : related)) continue;
      this.addTrace(trace);
      this.reported.push({
        client: hostText(facts.client),
        host,
        firstUs: facts.firstUs,
        lastUs: facts.lastUs,
      });
    }
    this.addAttempts(attempts, [...sessions, ...this.reported]);
  }

  private addTrace({ kind, facts, frames, answerKnown, calls }: TlsTrace): void {
    const via = facts.carrier === 'tcp' ? '' : ` (${facts.carrier} to ${targetText(facts)})`;
    const probe = answerKnown ? ' after the question whether it is SoftEther' : '';
    const { client, server, firstUs, lastUs } = facts;
    const add = (kindOfSighting: string, detail: string) =>
      this.add(kindOfSighting, client, server, detail, firstUs, lastUs, frames);
    switch (kind) {
      case 'attempt':
        add('attempt', `log-in refused${probe}${via}`);
        break;
      case 'management':
        add('management', calls > 0 ? `management connection${probe}${via}` : `management log-in${via}`);
        break;
      case 'question':
        add('attempt', `the server was asked whether it is SoftEther, and no log-in followed${via}`);
        return;
      case 'certificate':
        add('contact', `connection to a server with SoftEther's own kind of certificate${via}`);
        break;
      case 'openvpn':
        add(
          'clone',
          `OpenVPN over ${facts.protocol.toUpperCase()}, served with SoftEther's own kind of certificate`,
        );
        break;
    }
    const target = endOfTarget(facts);
    if (target === null) return;
    const name = facts.handshake?.clientHello?.serverName ?? null;
    this.hints.push({
      ...target,
      client: kind === 'certificate' ? null : hostText(client),
      names: name === null ? [] : [name],
      certificate: facts.handshake?.certificate ?? null,
      offers: kind === 'openvpn' ? 'openvpn' : null,
      firstUs,
      lastUs,
    });
  }

  /// Besides TCP a client tries R-UDP: an attempt of its own only if nothing else came of it.
  private addAttempts(attempts: readonly RudpAttempt[], others: readonly Beside[]): void {
    for (const { carrier, client, server, firstUs, lastUs, answers, inner, frames } of attempts) {
      const isBeside = others.some(
        (other) =>
          other.client === hostText(client) &&
          other.host === hostText(server) &&
          other.firstUs <= lastUs + SAME_ATTEMPT_US &&
          other.lastUs >= firstUs - SAME_ATTEMPT_US,
      );
      if (isBeside && inner === null) continue;
      const how = `R-UDP over ${carrier.toUpperCase()}`;
      const came =
        inner?.kind === 'attempt'
          ? 'log-in refused'
          : inner?.kind === 'management'
            ? 'management connection'
            : answers > 0
              ? 'answered, without a tunnel'
              : 'not answered';
      const kind = inner?.kind === 'management' ? 'management' : 'attempt';
      const isIcmp = carrier === 'icmp';
      const end = (of: RawEnd): RawEnd => (isIcmp ? { ...of, port: -1 } : of);
      this.add(kind, end(client), end(server), `${how}: ${came}`, firstUs, lastUs, [
        ...frames,
        ...(inner?.frames ?? []),
      ]);
    }
  }

  private add(
    kind: string,
    client: RawEnd,
    server: RawEnd,
    detail: string,
    firstUs: number,
    lastUs: number,
    frames: readonly number[],
  ): void {
    const key = `${kind} ${client.address} ${server.address} ${server.port} ${detail}`;
    let merged = this.merged.get(key);
    if (merged === undefined) {
      if (this.merged.size >= MAX_SIGHTINGS) {
        this.leftOut++;
        return;
      }
      merged = { kind, client, server, onePort: true, detail, firstUs, lastUs, count: 0, frames: [] };
      this.merged.set(key, merged);
      this.fresh.push(merged);
    }
    merged.count++;
    merged.firstUs = Math.min(merged.firstUs, firstUs);
    merged.lastUs = Math.max(merged.lastUs, lastUs);
    if (client.port !== merged.client.port) merged.onePort = false;
    for (const frame of new Set(frames)) {
      if (merged.frames.length >= MAX_FRAMES) break;
      if (frame > 0) merged.frames.push({ input: this.input, frame });
    }
  }
}

/// The VPN server of a flow: where the flow goes, or where a proxy was asked to
/// go. Null if the proxy was asked for a name.
export function endOfTarget({ server, proxy }: { server: RawEnd; proxy: ProxyRequest | null }): {
  ip: string;
  port: number;
} | null {
  if (proxy === null) return { ip: hostText(server), port: server.port };
  const { host, port } = proxy;
  if (typeof host !== 'string') return { ip: addressText(host), port };
  return isAddressLiteral(host) ? { ip: host, port } : null;
}

/// Conservative: what looks like an address is never taken for a name.
export function isAddressLiteral(text: string): boolean {
  return text.includes(':') || /^\d{1,3}(\.\d{1,3}){3}$/.test(text);
}

function targetText(facts: { server: RawEnd; proxy: ProxyRequest | null }): string {
  const { proxy } = facts;
  const target = endOfTarget(facts);
  return target === null ? `${proxy!.host} ${proxy!.port}` : `${target.ip} ${target.port}`;
}

function hostText({ address }: RawEnd): string {
  return addressText(address);
}

function portText(end: RawEnd): string {
  return `${hostText(end)} ${end.port}`;
}

/// A contact that led to a session says nothing more.
function isExplained({ kind, client, server }: Merged, sessions: readonly SessionFacts[]): boolean {
  if (kind !== 'contact') return false;
  return sessions.some(
    (session) => session.client === hostText(client) && portText(session.server) === portText(server),
  );
}

function describe({
  kind,
  client,
  server,
  onePort,
  detail,
  firstUs,
  lastUs,
  count,
  frames,
}: Merged): Sighting {
  const port = (of: RawEnd) => (of.port < 0 ? null : of.port);
  return {
    kind,
    firstSeen: rfc3339(firstUs),
    lastSeen: rfc3339(lastUs),
    count,
    client: { ip: hostText(client), port: onePort ? port(client) : null },
    server: { ip: hostText(server), port: port(server) },
    detail,
    frames: [...frames].sort((a, b) => a.frame - b.frame),
  };
}

function byTime(a: Sighting, b: Sighting): number {
  const texts = ({ firstSeen, kind, client, server, detail }: Sighting) =>
    [firstSeen, kind, client.ip, `${client.port}`, server.ip, `${server.port}`, detail].join(' ');
  const [left, right] = [texts(a), texts(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/// What one packet or flow says of a server comes before what a later one says.
function inOrderOfTime(hints: readonly ServerHint[]): ServerHint[] {
  const textOf = ({ ip, port, client, names }: ServerHint) => `${ip} ${port} ${client} ${names.join()}`;
  return [...hints].sort(
    (a, b) => a.firstUs - b.firstUs || (textOf(a) < textOf(b) ? -1 : textOf(a) > textOf(b) ? 1 : 0),
  );
}
