/// Follows one TLS flow through the script into the tunnel.

import type { PlainBlockWalk } from '../flow/plain-blocks.js';
import type { FlowAnalysis, TcpFlow } from '../flow/tcp-flow.js';
import { TLS_APPLICATION_DATA } from '../flow/tls-records.js';
import { offersProtocol } from '../wire/tls-hello.js';
import { type AfterHello, beginAfterHello } from './after-hello.js';
import { isDefaultCertificate } from './certificates.js';
import { connectionOf, type FlowFacts, type PlainSide, type TlsConnection } from './connection.js';
import { LossyAnalysis, type RecordAnalysis } from './lossy-analysis.js';
import type { TlsSessionProfile, TraceProfile, TurnProfile } from './profile.js';
import { RecordLog } from './record-log.js';
import { readScript, ScriptGate, type ScriptReading } from './script.js';
import { holds, Tunnel } from './tunnel.js';
import { TurnAnalysis } from './turn-analysis.js';

/// A flow without a tunnel that may be SoftEther's.
export interface TlsTrace {
  /// `question`: the client asked whether the server is SoftEther, and no more came.
  /// `certificate`: the server showed the one that SoftEther servers make.
  /// `openvpn`: OpenVPN, whose server showed it.
  kind: 'attempt' | 'management' | 'question' | 'certificate' | 'openvpn';
  facts: FlowFacts;
  frames: readonly number[];
  /// The server gave the answer that SoftEther servers give to the question.
  answerKnown: boolean;
  /// Calls of a management connection, and whether they begin as its tools do.
  calls: number;
  beginsAsTools: boolean;
}

/// What a flow is compared with.
export interface TlsProfiles {
  own: TlsSessionProfile;
  /// Looked at where the client is not the product's own.
  thirdParty: readonly TlsSessionProfile[];
  /// A protocol whose offer rules all of these out; null if hellos are not looked at.
  neverOffered: string | null;
  /// How it is read where its records cannot be; null for not at all.
  turns: TurnProfile | null;
}

/// Gets what the flows are found to be: connections while they go on too, traces when they end.
export interface TlsFindings {
  connection(connection: TlsConnection): void;
  trace(trace: TlsTrace): void;
}

export class TlsAnalysis implements RecordAnalysis {
  private readonly log = new RecordLog();
  private readonly gate = new ScriptGate();
  private reading: ScriptReading | null = null;
  private tunnel: Tunnel | null = null;
  private readonly plainFrames = { client: 0, server: 0 };
  private helloUs = 0;
  private helloFrame = 0;
  /// What the flow is if it is no tunnel; beside a tunnel, what it may be instead.
  private after: AfterHello | null = null;
  private failed: ScriptReading | null = null;
  /// The hellos are through.
  private begun = false;
  /// Followed on for its certificate alone.
  private onlyCertificate = false;
  /// The clients that are not the product's own and that it may still be; null before that is asked.
  private thirdParty: readonly TlsSessionProfile[] | null = null;
  private profile: TlsSessionProfile;

  constructor(
    private readonly profiles: TlsProfiles,
    private readonly traces: TraceProfile,
    private readonly input: number,
    private readonly found: TlsFindings,
  ) {
    this.profile = profiles.own;
  }

  get hasScript(): boolean {
    return this.tunnel !== null;
  }

  tlsRecord(
    flow: TcpFlow,
    fromClient: boolean,
    type: number,
    length: number,
    timeUs: number,
    frame: number,
  ): boolean {
    if (this.helloFrame === 0) {
      this.helloUs = timeUs;
      this.helloFrame = frame;
    }
    if (type !== TLS_APPLICATION_DATA) return true;
    if (this.onlyCertificate) return true;
    if (!this.begun) {
      this.begun = true;
      if (this.isRuledOut(flow)) return this.keepForCertificate(flow);
    }
    if (this.after !== null && !this.after.record(fromClient, length, flow.protection)) {
      this.after = null;
      if (this.tunnel === null) return this.giveUp(flow);
    }
    if (this.tunnel !== null) {
      this.tunnel.record(fromClient, length, flow.protection, timeUs, frame);
      return true;
    }
    if (this.after !== null) return true;
    if (this.log.full) return this.giveUp(flow);
    this.log.add(fromClient, length, timeUs, frame);
    if (this.thirdParty !== null) return this.readThirdParty(flow, this.thirdParty) || this.giveUp(flow);
    if (this.failed !== null) {
      this.after = this.beginAfter(flow, this.failed);
      return this.after !== null || this.giveUp(flow);
    }
    const gate = this.gate.record(fromClient, length, flow.protection, this.profile.script);
    if (gate === 'wait') return true;
    if (gate === 'failed') {
      // Which mostly leaves none; what comes after the message tells more.
      this.thirdParty = this.profiles.thirdParty.filter(({ script }) =>
        holds(flow.protection, length, script.signature),
      );
      return this.thirdParty.length > 0 || this.giveUp(flow);
    }
    const reading = readScript(this.log, flow.protection, this.profile);
    if (reading.outcome === 'open') return true;
    if (reading.outcome === 'failed') return this.followFailed(flow, reading, fromClient, length);
    this.beginTunnel(reading, this.profile);
    if (reading.outcome === 'additional') this.after = this.beginAfter(flow, reading);
    return true;
  }

  /// True if the client's hello offers what no client of SoftEther offers. It has to be asked before it is dropped.
  private isRuledOut(flow: TcpFlow): boolean {
    const { neverOffered } = this.profiles;
    if (neverOffered === null) return false;
    flow.isRuledOut ||= offersProtocol(flow.client.handshakeBody(), neverOffered);
    return flow.isRuledOut;
  }

  private beginTunnel(reading: ScriptReading, profile: TlsSessionProfile): void {
    this.reading = reading;
    this.profile = profile;
    this.tunnel = new Tunnel(this.log.timeUs[reading.messages.at(-1)!.record]!, profile);
  }

  /// The log again, as that of other clients. True as long as it can be one.
  private readThirdParty({ protection }: TcpFlow, profiles: readonly TlsSessionProfile[]): boolean {
    const open: TlsSessionProfile[] = [];
    this.thirdParty = open;
    for (const profile of profiles) {
      const reading = readScript(this.log, protection, profile);
      // Those clients have one connection.
      if (reading.outcome === 'primary') {
        this.beginTunnel(reading, profile);
        return true;
      }
      if (reading.outcome === 'open') open.push(profile);
    }
    return open.length > 0;
  }

  /// No tunnel comes of this; true if it may be something else.
  private followFailed(flow: TcpFlow, reading: ScriptReading, fromClient: boolean, length: number): boolean {
    this.failed = reading;
    const isAdmin = fromClient && holds(flow.protection, length, this.traces.admin.request);
    if (isAdmin && reading.messages.at(-1)?.name === 'hello') return true;
    this.after = this.beginAfter(flow, reading);
    return this.after !== null || this.giveUp(flow);
  }

  private beginAfter(flow: TcpFlow, reading: ScriptReading): AfterHello | null {
    return beginAfterHello(this.log, reading, this.log.count - 1, flow.protection, this.traces);
  }

  private giveUp(flow: TcpFlow): boolean {
    this.after = null;
    if (this.thirdParty === null && this.readThirdParty(flow, this.profiles.thirdParty)) return true;
    return this.keepForCertificate(flow);
  }

  /// A default certificate is worth a sighting: such a flow is kept to its end.
  private keepForCertificate(flow: TcpFlow): boolean {
    const certificate = flow.handshake?.certificate ?? null;
    this.onlyCertificate = certificate !== null && isDefaultCertificate(certificate, this.traces);
    return this.onlyCertificate;
  }

  notTls(_flow: TcpFlow, fromClient: boolean, _timeUs: number, frame: number): boolean {
    // After the script a tunnel may go on without encryption; before it, this is something else.
    if (this.tunnel === null) return false;
    this.tunnel.leftTls = true;
    if (fromClient) this.plainFrames.client = frame;
    else this.plainFrames.server = frame;
    return true;
  }

  headersLost(flow: TcpFlow): FlowAnalysis {
    const { turns } = this.profiles;
    if (turns === null || this.tunnel !== null) return this;
    const lossy = new LossyAnalysis(this, new TurnAnalysis(flow, turns), this.input, (connection) =>
      this.found.connection(connection),
    );
    flow.volumes = lossy;
    return lossy;
  }

  /// A further connection is one once it carries what no tool of management begins
  /// with; before it carries anything the server may still turn it away.
  soFar(flow: TcpFlow): void {
    const { reading, tunnel, after } = this;
    if (reading === null || tunnel === null || after?.mayBeginAsTools) return;
    if (reading.outcome === 'primary' || tunnel.used) this.tellConnection(flow, reading, tunnel);
  }

  end(flow: TcpFlow): void {
    const { reading, tunnel, after } = this;
    if (after !== null) this.endAfter(flow, after);
    else if (tunnel === null) this.endWithout(flow);
    // Calls that begin as the tools of management do are no further connection of a session.
    if (reading === null || tunnel === null || after?.beginsAsTools) return;
    this.tellConnection(flow, reading, tunnel);
  }

  private tellConnection(flow: TcpFlow, reading: ScriptReading, tunnel: Tunnel): void {
    const { client, server } = flow;
    this.found.connection({
      ...connectionOf(flow, this.input),
      kind: reading.outcome === 'primary' ? 'primary' : 'additional',
      script: reading,
      profile: this.profile,
      log: this.log,
      tunnel,
      reversedTunnel: null,
      plain: tunnel.leftTls
        ? {
            client: plainSide(client.blocks, this.plainFrames.client),
            server: plainSide(server.blocks, this.plainFrames.server),
          }
        : null,
      protection: flow.protection,
      sidesKnown: true,
      rudp: null,
      helloFrame: this.helloFrame,
      roundTripUs: flow.startSeen ? this.helloUs - flow.firstUs : 0,
    });
  }

  private endAfter(flow: TcpFlow, after: AfterHello): void {
    const { kind, frames, calls, beginsAsTools } = after;
    const reading = this.reading ?? this.failed!;
    // Beside a tunnel the same records can be a further connection.
    if (kind === 'management' && calls < this.traces.admin.minCalls.value) return;
    this.found.trace({
      kind,
      facts: connectionOf(flow, this.input),
      frames,
      answerKnown: this.isAnswerKnown(flow, reading),
      calls,
      beginsAsTools,
    });
  }

  private endWithout(flow: TcpFlow): void {
    const facts = () => connectionOf(flow, this.input);
    const none = { answerKnown: false, calls: 0, beginsAsTools: false };
    if (this.onlyCertificate) {
      this.found.trace({ kind: 'certificate', facts: facts(), frames: [this.helloFrame], ...none });
      return;
    }
    if (this.log.count < 2 || this.log.full) return;
    const reading = readScript(this.log, flow.protection, this.profile);
    if (reading.outcome !== 'open' || reading.messages.at(-1)?.name !== 'probe answer') return;
    const frames = reading.messages.map(({ record }) => this.log.frame[record]!);
    const answerKnown = this.isAnswerKnown(flow, reading);
    this.found.trace({ kind: 'question', facts: facts(), frames, ...none, answerKnown });
  }

  private isAnswerKnown(flow: TcpFlow, { messages }: ScriptReading): boolean {
    const answer = messages.find(({ name }) => name === 'probe answer');
    return (
      answer !== undefined &&
      this.profile.script.knownProbeAnswers.some((range) =>
        holds(flow.protection, this.log.length[answer.record]!, range),
      )
    );
  }
}

function plainSide({ blocks, frames }: PlainBlockWalk, firstFrame: number): PlainSide {
  return { blocks, frames, firstFrame };
}
