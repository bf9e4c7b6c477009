/// The engine: frames in, findings out. The same for files and live devices;
/// no I/O, no clock, no randomness.

import { type FrameBatch, LINKTYPE_NO_PACKET } from './capture/frame-batch.js';
import type { ClockJump } from './detect/caveats.js';
import { Chatter } from './detect/chatter.js';
import type { Held } from './detect/clauses.js';
import type { TlsConnection } from './detect/connection.js';
import { type ChainPools, type DatagramFindings, FlowOfDatagrams } from './detect/datagram-analysis.js';
import { EarlyAnalysis, type EarlyFinding } from './detect/early-analysis.js';
import type { ServerEntry, Session, Sighting } from './detect/findings.js';
import type { SessionGroup } from './detect/grouping.js';
import { NonceChain } from './detect/nonce-chain.js';
import { OpenVpnDatagrams, OpenVpnStream } from './detect/openvpn-analysis.js';
import { PlainAnalysis } from './detect/plain-analysis.js';
import { RunningAnalysis } from './detect/running-analysis.js';
import { serversOf } from './detect/servers.js';
import { SessionBuilder, type SessionFacts } from './detect/sessions.js';
import { SideBySide } from './detect/side-by-side.js';
import { SightingBuilder } from './detect/sightings.js';
import { SshConnection } from './detect/ssh-connection.js';
import { SshKnowledge } from './detect/ssh-sizes.js';
import { TlsAnalysis, type TlsFindings, type TlsProfiles, type TlsTrace } from './detect/tls-analysis.js';
import type { DatagramFlow } from './flow/datagram-flow.js';
import type { FlowTrace } from './flow/flow-trace.js';
import { DEFAULT_FLOW_LIMITS, FlowTracker, type FlowTrackerLimits } from './flow/flow-tracker.js';
import { KeylessChain } from './flow/rudp/keyless-chain.js';
import { SparePool } from './flow/spare-pool.js';
import { softether1 } from './profiles/softether-1.js';
import { softetherRudp } from './profiles/softether-rudp.js';
import { softetherSsh } from './profiles/softether-ssh.js';
import { softetherMvc, softetherVpnconnect } from './profiles/softether-third-party.js';
import { softetherTls } from './profiles/softether-tls.js';
import { softetherTraces } from './profiles/softether-traces.js';
import { softetherTurns } from './profiles/softether-turns.js';
import { type Diagnostics, newDiagnostics } from './report/model.js';
import { decodeFrame, decodeIp } from './wire/decode.js';
import { FragmentStore } from './wire/fragments.js';
import type { FragmentLimits } from './wire/limits.js';
import {
  type DecodeStop,
  Packet,
  STOP_IP_FRAGMENT,
  STOP_NONE,
  STOP_NOT_IP,
  UNDECODABLE,
} from './wire/packet.js';

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

const TLS_PROFILES: TlsProfiles = {
  own: softetherTls,
  thirdParty: [softetherMvc, softetherVpnconnect],
  turns: softetherTurns,
};

/// More than a second back, or more than an hour ahead, between neighbouring packets.
const CLOCK_BACK_US = 1_000_000;
const CLOCK_FORWARD_US = 3_600_000_000;

/// Jumps of the clock that are listed; all are counted.
const MAX_CLOCK_JUMPS = 16;

export class Engine {
  private readonly packet = new Packet();
  private readonly fragments: FragmentStore;
  private readonly nonces = new SparePool(() => new NonceChain());
  private readonly keyless = new SparePool(() => new KeylessChain('udp'));
  private readonly ssh = new SshKnowledge(softetherTls, softetherSsh);
  protected readonly tracker: FlowTracker;
  protected sessions: SessionBuilder;
  protected sightings = new SightingBuilder(0);
  protected diagnostics = newDiagnostics();
  private readonly stops = new Float64Array(UNDECODABLE.length + 1);
  private input = 0;
  private beganUs = Number.NaN;
  protected lastUs = Number.NaN;
  /// Most bytes kept of a packet that was cut; 0 for none.
  private cutAt = 0;
  private clockJumps: ClockJump[] = [];

  constructor(private readonly options: EngineOptions = {}) {
    this.sessions = this.newSessions();
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
    this.tracker = new FlowTracker(
      {
        tls: (flow) => {
          const analysis = flow.midstream
            ? new RunningAnalysis(softetherTls, this.input, found)
            : new SideBySide(
                new TlsAnalysis(TLS_PROFILES, softetherTraces, this.input, inTls),
                new EarlyAnalysis(softether1, this.input, early),
              );
          const trace = options.trace?.flow;
          return trace === undefined
            ? analysis
            : trace.wrap(analysis, flow, this.tracker.table.endsOf(flow.entry));
        },
        ssh: (_flow, budget) =>
          new SshConnection(this.ssh, this.input, budget, (finding) => this.sessions.addSsh(finding)),
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
    );
  }

  /// Begins a capture; `input` is its position in the report's `inputs`.
  begin(input: number): void {
    this.input = input;
    this.sightings = new SightingBuilder(input);
  }

  /// Takes the next frames of the capture, in recorded order.
  push(batch: FrameBatch): void {
    const { packet, tracker, diagnostics, stops } = this;
    const { bytes, view, count, offset, capturedLen, originalLen, timeUs, linkType, frame } = batch;
    let totalBytes = 0;
    for (let i = 0; i < count; i++) {
      const link = linkType[i]!;
      if (link === LINKTYPE_NO_PACKET) continue;
      const at = offset[i]!;
      const captured = capturedLen[i]!;
      const original = originalLen[i]!;
      const time = timeUs[i]!;
      diagnostics.packets++;
      totalBytes += original;
      if (captured < original) {
        diagnostics.cutPackets++;
        diagnostics.cutBytes += original - captured;
        if (captured > this.cutAt) this.cutAt = captured;
      }
      if (Number.isNaN(this.lastUs)) this.beganUs = time;
      const sinceLast = time - this.lastUs;
      if (sinceLast < -CLOCK_BACK_US || sinceLast > CLOCK_FORWARD_US) this.noteClockJump(frame[i]!, time);
      this.lastUs = time;
      const stop = decodeFrame(view, at, captured, original, link, packet);
      if (stop === STOP_NONE) tracker.packet(packet, bytes, view, time, frame[i]!);
      else if (stop === STOP_IP_FRAGMENT) this.fragment(batch, i);
      else stops[stop]!++;
    }
    diagnostics.bytes += totalBytes;
  }

  /// Takes the fragment that `packet` stopped at, and the packet that it makes whole.
  private fragment(batch: FrameBatch, i: number): void {
    const { fragments, packet } = this;
    let { bytes, view } = batch;
    let end = batch.offset[i]! + batch.capturedLen[i]!;
    const time = batch.timeUs[i]!;
    let stop: DecodeStop = STOP_IP_FRAGMENT;
    // A tunnel's packet may be in fragments, and the packet inside too.
    while (stop === STOP_IP_FRAGMENT) {
      if (!fragments.add(bytes, view, end, packet, time)) return;
      ({ bytes, view, end } = fragments);
      stop = decodeIp(view, fragments.at, end, fragments.wireEnd, packet);
    }
    if (stop === STOP_NONE) this.tracker.packet(packet, bytes, view, time, batch.frame[i]!);
    else this.stops[stop]!++;
  }

  private noteClockJump(frame: number, toUs: number): void {
    const { lastUs: fromUs, clockJumps, diagnostics } = this;
    diagnostics.clockJumps[toUs < fromUs ? 'back' : 'forward']++;
    if (clockJumps.length < MAX_CLOCK_JUMPS) clockJumps.push({ frame, fromUs, toUs });
  }

  /// True if more is kept now than these limits would allow.
  exceeds(limits: EngineLimits): boolean {
    const { fragments } = limits;
    const fragmentsExceed = fragments !== undefined && this.fragments.heldBytes > fragments.maxBytes;
    return fragmentsExceed || this.tracker.exceeds(limits);
  }

  /// Ends the capture and returns what it gave; the engine is ready for the next.
  end(): Findings {
    const { tracker, diagnostics } = this;
    const { table } = tracker;
    table.endAll();
    this.fragments.endAll();
    this.stops[STOP_IP_FRAGMENT] = this.fragments.lost;
    diagnostics.fragments = this.fragments.counts;
    diagnostics.nonIpPackets = this.stops[STOP_NOT_IP]!;
    UNDECODABLE.forEach((name, stop) => {
      const count = this.stops[stop]!;
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
    diagnostics.gaps = tracker.gaps;
    const { sessions, facts } = this.finishSessions();
    const { sightings, hints } = this.sightings.finish(facts);
    diagnostics.sightingsLeftOut = this.sightings.leftOut;
    const findings: Findings = {
      sessions,
      sightings,
      servers: serversOf(facts, hints),
      diagnostics,
      clockJumps: this.clockJumps,
      cut: { packets: diagnostics.cutPackets, longest: this.cutAt },
    };
    this.clockJumps = [];
    this.sightings = new SightingBuilder(this.input);
    this.sessions = this.newSessions();
    this.diagnostics = newDiagnostics();
    this.stops.fill(0);
    this.fragments.clear();
    this.lastUs = Number.NaN;
    this.cutAt = 0;
    tracker.clear();
    return findings;
  }

  /// The sessions once all flows have ended, and what of them concerns others.
  protected finishSessions(): { sessions: Session[]; facts: SessionFacts[] } {
    const sessions = this.sessions.finish(this.cutBytes);
    return { sessions, facts: this.sessions.facts };
  }

  /// Bytes of a packet beyond which the capture holds nothing; null if its packets are whole.
  protected get cutBytes(): number | null {
    return this.cutAt === 0 ? null : this.cutAt;
  }

  /// What may have been running before the capture began is looked at without its opening, too.
  private chainsFor(flow: DatagramFlow): ChainPools {
    const mayRun = flow.firstUs - this.beganUs <= softetherRudp.running.maxRudpSilenceUs.value;
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
