/// The engine: frames in, findings out. The same for files and live devices;
/// no I/O, no clock, no randomness.

import { BATCH_FRAMES, type FrameBatch } from './capture/frame-batch.js';
import type { ClockJump } from './detect/caveats.js';
import { Chatter } from './detect/chatter.js';
import type { Held } from './detect/clauses.js';
import type { TlsConnection } from './detect/connection.js';
import { type ChainPools, type DatagramFindings, FlowOfDatagrams } from './detect/datagram-analysis.js';
import { EarlyAnalysis, type EarlyFinding, isOfItsTime } from './detect/early-analysis.js';
import type { ServerEntry, Session, Sighting } from './detect/findings.js';
import type { SessionGroup } from './detect/grouping.js';
import { NonceChain } from './detect/nonce-chain.js';
import { OpenVpnDatagrams, OpenVpnStream } from './detect/openvpn-analysis.js';
import { PlainAnalysis } from './detect/plain-analysis.js';
import { restoreConnection } from './detect/restore.js';
import { RunningAnalysis } from './detect/running-analysis.js';
import { serversOf } from './detect/servers.js';
import { SessionBuilder, type SessionFacts, type SessionParts } from './detect/sessions.js';
import { SideBySide } from './detect/side-by-side.js';
import { SightingBuilder, type SightingParts } from './detect/sightings.js';
import { SshConnection } from './detect/ssh-connection.js';
import { SshKnowledge } from './detect/ssh-sizes.js';
import { TlsAnalysis, type TlsFindings, type TlsProfiles, type TlsTrace } from './detect/tls-analysis.js';
import type { DatagramFlow } from './flow/datagram-flow.js';
import type { FlowShare } from './flow/flow-share.js';
import type { FlowTrace } from './flow/flow-trace.js';
import { DEFAULT_FLOW_LIMITS, FlowTracker, type FlowTrackerLimits } from './flow/flow-tracker.js';
import { KeylessChain } from './flow/rudp/keyless-chain.js';
import { SparePool } from './flow/spare-pool.js';
import type { TcpFlow } from './flow/tcp-flow.js';
import { Intake, type IntakeCounts } from './intake.js';
import { softether1 } from './profiles/softether-1.js';
import { softetherRudp } from './profiles/softether-rudp.js';
import { softetherSsh } from './profiles/softether-ssh.js';
import { softetherMvc, softetherVpnconnect } from './profiles/softether-third-party.js';
import { softetherTls } from './profiles/softether-tls.js';
import { softetherTraces } from './profiles/softether-traces.js';
import { softetherTurns } from './profiles/softether-turns.js';
import { addDiagnostics, type Diagnostics, newDiagnostics } from './report/model.js';
import { decodeIp } from './wire/decode.js';
import { FragmentStore } from './wire/fragments.js';
import type { FragmentLimits } from './wire/limits.js';
import { Packet, STOP_IP_FRAGMENT, STOP_NONE, STOP_NOT_IP, UNDECODABLE } from './wire/packet.js';
import { type Frames, PacketBatch } from './wire/packet-batch.js';

/// What may be kept at once; what is given up for it is counted.
export interface EngineLimits extends FlowTrackerLimits {
  fragments?: FragmentLimits;
}

export interface EngineOptions {
  limits?: EngineLimits;
  /// Leave out what belongs to one installation (names, certificates, the shape
  /// of the ClientHello): measures that the pattern alone decides.
  maskInstallation?: boolean;
  /// A second look at one flow, for explanations.
  trace?: EngineTrace;
  /// Look at these of the flows only; other engines look at the others, and one `absorb`s what
  /// the others found.
  share?: FlowShare;
  /// Begins the hashes of flows, so that nobody can foresee them. No finding depends on it.
  hashSeed?: number;
}

/// What an engine with a share of the flows found. Plain data: threads hand it to others.
export interface EngineParts {
  sessions: SessionParts;
  sightings: SightingParts;
  /// Of flows, and of the fragments of all of them.
  diagnostics: Diagnostics;
}

export interface EngineTrace {
  readonly flow: FlowTrace;
  /// Told of every group of connections, also of those that make no session.
  group(group: SessionGroup, held: Held, session: Session | null): void;
}

/// What one capture gave.
export interface Findings {
  sessions: Session[];
  sightings: Sighting[];
  servers: ServerEntry[];
  diagnostics: Diagnostics;
  /// The first jumps of the clock; `diagnostics.clockJumps` counts all.
  clockJumps: ClockJump[];
  /// Packets stored shorter than they were, and the most bytes that any of them holds.
  cut: { packets: number; longest: number };
}

const TLS_PROFILES: Omit<TlsProfiles, 'neverOffered'> = {
  own: softetherTls,
  thirdParty: [softetherMvc, softetherVpnconnect],
  turns: softetherTurns,
};

export class Engine {
  private readonly intake: Intake;
  /// What the intake has counted so far: our own, or one in another thread.
  protected intakeCounts: IntakeCounts;
  private readonly packet = new Packet();
  private readonly packets: PacketBatch;
  /// For a packet that was put together from fragments.
  private readonly put: PacketBatch;
  private readonly fragments: FragmentStore;
  private readonly nonces = new SparePool(() => new NonceChain());
  private readonly keyless = new SparePool(() => new KeylessChain('udp'));
  private readonly ssh = new SshKnowledge(softetherTls, softetherSsh);
  protected readonly tracker: FlowTracker;
  protected sessions: SessionBuilder;
  protected sightings = new SightingBuilder(0);
  /// Where what was put together could not be decoded further.
  private readonly stops = new Float64Array(UNDECODABLE.length);
  private absorbed: Diagnostics[] = [];
  private input = 0;

  constructor(private readonly options: EngineOptions = {}) {
    const { hashSeed = 0 } = options;
    this.sessions = this.newSessions();
    this.packets = new PacketBatch(BATCH_FRAMES, hashSeed);
    this.intake = new Intake(
      (batch) => this.tracker.packets(batch),
      () => this.packets,
    );
    this.intakeCounts = this.intake.counts;
    this.put = new PacketBatch(1, hashSeed);
    this.fragments = new FragmentStore(options.limits?.fragments);
    const found = (connection: TlsConnection) => this.sessions.add(connection);
    const early = (finding: EarlyFinding) => this.sessions.addEarly(finding);
    const seen = (trace: TlsTrace) => this.sightings.trace(trace);
    const inTls: TlsFindings = { connection: found, trace: seen };
    const inDatagrams: DatagramFindings = {
      connection: found,
      acceleration: (channel) => this.sessions.addAcceleration(channel),
      attempt: (attempt) => this.sightings.attempt(attempt),
    };
    // What a client offers is part of its hello's shape.
    const neverOffered = options.maskInstallation === true ? null : softetherTls.neverOffered.protocol;
    const profiles: TlsProfiles = { ...TLS_PROFILES, neverOffered };
    const beginEarly = (flow: TcpFlow, timeUs: number) =>
      isOfItsTime(flow, softether1, timeUs) ? new EarlyAnalysis(softether1, this.input, early) : null;
    this.tracker = new FlowTracker(
      {
        tls: (flow) => {
          const analysis = flow.midstream
            ? new RunningAnalysis(softetherTls, this.input, found)
            : new SideBySide(new TlsAnalysis(profiles, softetherTraces, this.input, inTls), beginEarly);
          const trace = options.trace?.flow;
          return trace === undefined
            ? analysis
            : trace.wrap(analysis, flow, this.tracker.table.endsOf(flow.entry));
        },
        ssh: ({ weight }, budget) =>
          new SshConnection(this.ssh, this.input, budget, weight, (finding) => this.sessions.addSsh(finding)),
        plain: () => new PlainAnalysis(softetherTls, this.input, found),
        openVpn: (_flow, budget) => new OpenVpnStream(softetherTraces, this.input, budget, seen),
        datagrams: (flow, budget) =>
          flow.isOpenVpn
            ? new OpenVpnDatagrams(softetherTraces, this.input, budget, seen)
            : new FlowOfDatagrams(
                flow,
                softetherRudp,
                softetherTraces,
                this.input,
                budget,
                this.chainsFor(flow),
                inDatagrams,
              ),
        listener: new Chatter(softetherTraces, (message) => this.sightings.overheard(message)),
      },
      options.limits ?? DEFAULT_FLOW_LIMITS,
      (batch, i) => this.fragment(batch, i),
      options.share,
      hashSeed,
      // A flow that is asked for is looked at as far as it goes.
      options.trace === undefined ? neverOffered : null,
    );
  }

  /// Begins a capture; `input` is its position in the report's `inputs`.
  begin(input: number): void {
    this.input = input;
    this.sightings = new SightingBuilder(input);
    this.beginIntake();
  }

  private beginIntake(): void {
    this.intake.begin();
    this.intakeCounts = this.intake.counts;
  }

  /// Takes the next frames of the capture, in recorded order.
  push(batch: FrameBatch): void {
    this.intake.push(batch);
  }

  /// Takes packets that an intake elsewhere has made of the next frames; see `intakeIs`.
  take(batch: PacketBatch): void {
    this.tracker.packets(batch);
  }

  /// What such an intake has counted.
  intakeIs(counts: IntakeCounts): void {
    this.intakeCounts = counts;
  }

  /// Takes the fragment in the i-th frame, and the packet that it makes whole.
  private fragment(batch: PacketBatch, i: number): void {
    const { fragments, packet, put } = this;
    const { frames } = batch;
    let { bytes, view } = frames;
    let end = frames.offset[i]! + frames.capturedLen[i]!;
    let stop = batch.decode(i, packet);
    // A tunnel's packet may be in fragments, and the packet inside too.
    while (stop === STOP_IP_FRAGMENT) {
      if (!fragments.add(bytes, view, end, packet, frames.timeUs[i]!)) return;
      ({ bytes, view, end } = fragments);
      stop = decodeIp(view, fragments.at, end, fragments.wireEnd, packet);
    }
    if (stop === STOP_NONE) {
      put.takeWhole(oneFrame(frames, i, bytes, view), packet);
      this.tracker.packets(put);
    } else this.stops[stop]!++;
  }

  /// Gives back the memory of the loops that it took; the engine is of no use after that.
  dispose(): void {
    for (const part of [this.intake, this.packets, this.put, this.tracker]) part.dispose();
  }

  /// True if more is kept now than these limits would allow.
  exceeds(limits: EngineLimits): boolean {
    const { fragments } = limits;
    const fragmentsExceed = fragments !== undefined && this.fragments.heldBytes > fragments.maxBytes;
    return fragmentsExceed || this.tracker.exceeds(limits);
  }

  /// True if what was found depends on how much may be kept, and so on who keeps it.
  get reachedLimit(): boolean {
    return this.tracker.reachedLimit || this.sightings.isFull || this.sessions.leftOut > 0;
  }

  /// Ends the capture for an engine that has a share of its flows.
  endShare(): EngineParts {
    const diagnostics = this.endFlows();
    // Every engine puts together all fragments, one of them tells it.
    if (this.options.share?.index !== 0) {
      const { fragments, undecodable } = newDiagnostics();
      Object.assign(diagnostics, { fragments, undecodable, nonIpPackets: 0 });
    }
    return { sessions: this.sessions.parts, sightings: this.sightings.parts, diagnostics };
  }

  /// Adds what an engine with a share of the flows found, copied as plain data.
  absorb({ sessions, sightings, diagnostics }: EngineParts): void {
    this.sessions.absorb({ ...sessions, connections: sessions.connections.map(restoreConnection) });
    this.sightings.absorb(sightings);
    this.absorbed.push(diagnostics);
  }

  /// Ends the capture and returns what it gave; the engine is ready for the next.
  end(): Findings {
    const { tracker, intakeCounts: counts } = this;
    const diagnostics = this.endFlows();
    const { sessions, facts } = this.finishSessions();
    const { sightings, hints } = this.sightings.finish(facts);
    diagnostics.sightingsLeftOut = this.sightings.leftOut;
    const findings: Findings = {
      sessions,
      sightings,
      servers: serversOf(facts, hints),
      diagnostics,
      clockJumps: counts.clockJumps,
      cut: { packets: counts.cutPackets, longest: counts.cutAt },
    };
    this.sightings = new SightingBuilder(this.input);
    this.sessions = this.newSessions();
    this.absorbed = [];
    this.stops.fill(0);
    this.fragments.clear();
    this.beginIntake();
    tracker.clear();
    return findings;
  }

  /// Ends all flows and says what was seen of the capture, apart from sightings.
  private endFlows(): Diagnostics {
    const { intakeCounts: counts, fragments, tracker } = this;
    const { table } = tracker;
    table.endAll();
    fragments.endAll();
    const diagnostics = newDiagnostics();
    diagnostics.packets = counts.packets;
    diagnostics.bytes = counts.bytes;
    diagnostics.cutPackets = counts.cutPackets;
    diagnostics.cutBytes = counts.cutBytes;
    diagnostics.clockJumps = { back: counts.jumpsBack, forward: counts.jumpsForward };
    diagnostics.fragments = fragments.counts;
    const stops = this.stops.map((count, stop) => count + counts.stops[stop]!);
    stops[STOP_IP_FRAGMENT] = fragments.lost;
    diagnostics.nonIpPackets = stops[STOP_NOT_IP]!;
    UNDECODABLE.forEach((name, stop) => {
      const count = stops[stop]!;
      if (name === null || count === 0) return;
      const [layer, reason] = name;
      diagnostics.undecodable[layer] ??= {};
      diagnostics.undecodable[layer][reason] = count;
    });
    diagnostics.flows = { tcp: table.tcpFlows, udp: table.udpFlows, icmp: table.icmpFlows };
    diagnostics.midstreamFlows = table.midstreamFlows;
    diagnostics.evictedFlows = table.evictedFlows + tracker.givenUpFlows;
    diagnostics.oneSidedFlows = table.oneSidedFlows;
    diagnostics.limitsHit = tracker.limitsHit;
    if (this.sessions.leftOut > 0) diagnostics.limitsHit.runningConnections = this.sessions.leftOut;
    diagnostics.gaps = tracker.gaps;
    for (const part of this.absorbed) addDiagnostics(diagnostics, part);
    return diagnostics;
  }

  /// The sessions once all flows have ended, and what of them concerns others.
  protected finishSessions(): { sessions: Session[]; facts: SessionFacts[] } {
    const sessions = this.sessions.finish(this.cutBytes);
    return { sessions, facts: this.sessions.facts };
  }

  /// Bytes of a packet beyond which the capture holds nothing; null if its packets are whole.
  protected get cutBytes(): number | null {
    return this.intakeCounts.cutAt === 0 ? null : this.intakeCounts.cutAt;
  }

  /// What may have been running before the capture began is looked at without its opening, too.
  private chainsFor(flow: DatagramFlow): ChainPools {
    const mayRun = flow.firstUs - this.intakeCounts.beganUs <= softetherRudp.running.maxRudpSilenceUs.value;
    return { nonces: this.nonces, keyless: mayRun ? this.keyless : null };
  }

  private newSessions(): SessionBuilder {
    const { maskInstallation, trace } = this.options;
    return new SessionBuilder(softetherTls, {
      installationTraits: maskInstallation !== true,
      ...(trace === undefined
        ? {}
        : { explain: (group, held, session) => trace.group(group, held, session) }),
    });
  }
}

/// The i-th of some frames by itself, with what was put together of it and those before.
function oneFrame(frames: Frames, i: number, bytes: Uint8Array, view: DataView): Frames {
  return {
    ...frames,
    count: 1,
    bytes,
    bytesAt: 0,
    view,
    timeUs: frames.timeUs.subarray(i, i + 1),
    frame: frames.frame.subarray(i, i + 1),
  };
}
