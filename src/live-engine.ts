/// The engine for traffic that goes on: verdicts while sessions run, and memory
/// that stays flat. At the end of a stream it has told the sessions that the
/// engine finds in the same packets.

import type { ServerEntry, Session, Sighting } from './detect/findings.js';
import { LiveSessions, type SessionChange } from './detect/live-sessions.js';
import { mergeServers, serversOf } from './detect/servers.js';
import { byStart, type Judged, type SessionFacts } from './detect/sessions.js';
import { Engine, type EngineOptions, type Findings } from './engine.js';
import { softetherTls } from './profiles/softether-tls.js';

export type { SessionChange } from './detect/live-sessions.js';

export interface LiveOptions extends EngineOptions {
  /// Told of every session, in the order in which things become known.
  changed(change: SessionChange): void;
  /// Told of each sighting once; what repeats it only counts.
  sighted?(sighting: Sighting): void;
}

/// What the engine is doing. Cheap to ask for.
export interface LiveCounts {
  packets: number;
  /// Of the packets on the wire, link layer included.
  bytes: number;
  flows: { tcp: number; udp: number; icmp: number };
}

/// Least time between two looks at what the flows are. What waits for a look is
/// late by that, on top of what the capture tool held back.
const LOOK_US = 50_000;

/// Most connections that are kept of sessions that go on; some 3 KB each.
const MAX_CONNECTIONS = 16_384;

/// Most servers kept, and most sessions and clients of each: those seen last.
const MAX_SERVERS = 4_096;
const MAX_OF_SERVER = 256;

export class LiveEngine extends Engine {
  private readonly live: LiveSessions;
  private servers: ServerEntry[] = [];
  private lookedUs = Number.NEGATIVE_INFINITY;
  private droppedConnections = 0;

  constructor(private readonly liveOptions: LiveOptions) {
    super(liveOptions);
    this.live = new LiveSessions(softetherTls, (change) => liveOptions.changed(change));
  }

  /// Looks whether there is news at `nowUs`, the packet time of now. To be called
  /// every 200 ms at least, also when no packets come.
  evaluate(nowUs: number): void {
    const { tracker, live } = this;
    if (Math.abs(nowUs - this.lookedUs) < LOOK_US) return;
    this.lookedUs = nowUs;
    tracker.endSilent(nowUs);
    const ended = this.sessions;
    this.droppedConnections += ended.keep(MAX_CONNECTIONS);
    this.sessions = ended.copy();
    tracker.soFar();
    const candidates = this.sessions.candidates(this.cutBytes);
    this.sessions = ended;
    const over = live.compare(candidates, nowUs);
    if (over.length > 0) ended.forget(new Set(over.flatMap(({ flows }) => flows)));
    this.tellSightings(factsOf(live.takeFinished()), nowUs);
  }

  counts(): LiveCounts {
    const { packets, bytes } = this.intakeCounts;
    const { tcpFlows: tcp, udpFlows: udp, icmpFlows: icmp } = this.tracker.table;
    return { packets, bytes, flows: { tcp, udp, icmp } };
  }

  /// Ends everything. Sessions are those that had not been told for the last time
  /// before; sightings and servers are those that are still known.
  override end(): Findings {
    const findings = super.end();
    const servers = mergeServers([...this.servers, ...findings.servers]);
    this.servers = [];
    if (this.droppedConnections > 0) findings.diagnostics.limitsHit.liveConnections = this.droppedConnections;
    this.droppedConnections = 0;
    return { ...findings, servers };
  }

  protected override finishSessions(): { sessions: Session[]; facts: SessionFacts[] } {
    this.live.compare(this.sessions.candidates(this.cutBytes), Number.POSITIVE_INFINITY);
    const finished = this.live.takeFinished();
    const facts = factsOf(finished);
    this.tellSightings(facts, Number.POSITIVE_INFINITY);
    return { sessions: finished.map(({ session }) => session).sort(byStart), facts };
  }

  private tellSightings(finished: readonly SessionFacts[], nowUs: number): void {
    const { sightings, hints } = this.sightings.news([...this.live.facts, ...finished], nowUs);
    for (const sighting of sightings) this.liveOptions.sighted?.(sighting);
    if (finished.length === 0 && hints.length === 0) return;
    this.servers = mergeServers([...this.servers, ...serversOf(finished, hints)])
      .sort((a, b) => (a.lastSeen < b.lastSeen ? 1 : -1))
      .slice(0, MAX_SERVERS)
      .map((server) => ({
        ...server,
        clients: server.clients.slice(-MAX_OF_SERVER),
        sessions: server.sessions.slice(-MAX_OF_SERVER),
      }));
  }
}

function factsOf(judged: readonly Judged[]): SessionFacts[] {
  return judged.flatMap(({ facts }) => facts ?? []);
}
