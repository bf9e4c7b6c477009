/// Follows one UDP or ICMP flow: UDP acceleration by its nonces, R-UDP by its
/// opening, and inside R-UDP the same script as on a TCP connection.

import type { DatagramAnalysis, DatagramFlow } from '../flow/datagram-flow.js';
import type { FlowEnd } from '../flow/flow-table.js';
import { TCP_FLOW_BYTES } from '../flow/limits.js';
import type { MemoryBudget } from '../flow/memory-budget.js';
import { OPENING_BYTES, type RudpCarrier } from '../flow/rudp/carriers.js';
import type { KeylessChain } from '../flow/rudp/keyless-chain.js';
import { RudpFlow } from '../flow/rudp/rudp-flow.js';
import type { SparePool } from '../flow/spare-pool.js';
import { TcpFlow } from '../flow/tcp-flow.js';
import type { Layer } from '../wire/layers.js';
import {
  connectionOf,
  datagramFactsOf,
  emptyConnection,
  type RudpFacts,
  type TlsConnection,
} from './connection.js';
import type { ChainReading, NonceChain } from './nonce-chain.js';
import type { TlsSessionProfile, TraceProfile } from './profile.js';
import { TlsAnalysis, type TlsTrace } from './tls-analysis.js';

const PORT_DNS = 53;

/// Of R-UDP over ICMP: what the client sends is an information request, what
/// the server sends its reply (facts, observed). The opening goes in other types too.
const ICMP_FROM_CLIENT = 15;
const ICMP_FROM_SERVER = 16;

/// A UDP flow whose datagrams chain: the fast channel of some session.
export interface AccelerationChannel {
  input: number;
  a: FlowEnd;
  b: FlowEnd;
  layers: readonly Layer[];
  firstUs: number;
  lastUs: number;
  packets: number;
  /// No more of it will come.
  ended: boolean;
  bytesFromA: number;
  bytesFromB: number;
  fromA: ChainReading;
  fromB: ChainReading;
}

/// R-UDP that carries no tunnel.
export interface RudpAttempt {
  input: number;
  carrier: RudpCarrier;
  client: FlowEnd;
  server: FlowEnd;
  firstUs: number;
  lastUs: number;
  /// Segments of the server that are signed as the opening asks.
  answers: number;
  /// What the connection inside came to, if it began.
  inner: TlsTrace | null;
  frames: readonly number[];
}

/// Gets what the flows are found to be: attempts when they end, the rest while they go on too.
export interface DatagramFindings {
  attempt(attempt: RudpAttempt): void;
  connection(connection: TlsConnection): void;
  acceleration(channel: AccelerationChannel): void;
}

/// Chains for the flows of plain UDP.
export interface ChainPools {
  nonces: SparePool<NonceChain>;
  /// Null if the beginning of the flow is in the capture.
  keyless: SparePool<KeylessChain> | null;
}

export class FlowOfDatagrams implements DatagramAnalysis {
  private chain: NonceChain | null;
  /// R-UDP in plain UDP whose opening was not captured.
  private keyless: KeylessChain | null;
  private rudp: RudpFlow | null = null;
  private inner: TcpFlow | null = null;
  private innerConnection: TlsConnection | null = null;
  private innerTrace: TlsTrace | null = null;
  private readonly carrier: RudpCarrier;
  /// Told by the carrier; a guess by the ports over plain UDP.
  private clientIsA: boolean;

  constructor(
    private readonly flow: DatagramFlow,
    private readonly profile: TlsSessionProfile,
    private readonly traces: TraceProfile,
    private readonly input: number,
    private readonly budget: MemoryBudget,
    private readonly chains: ChainPools,
    private readonly found: DatagramFindings,
  ) {
    const isDns = flow.portA === PORT_DNS || flow.portB === PORT_DNS;
    this.carrier = flow.isIcmp ? 'icmp' : isDns ? 'dns' : 'udp';
    this.clientIsA = isDns ? flow.portB === PORT_DNS : flow.portA > flow.portB;
    this.chain = this.carrier === 'udp' ? chains.nonces.take() : null;
    this.keyless = this.carrier === 'udp' ? (chains.keyless?.take() ?? null) : null;
  }

  datagram(
    _flow: DatagramFlow,
    fromA: boolean,
    bytes: Uint8Array,
    at: number,
    captured: number,
    length: number,
    timeUs: number,
    frame: number,
  ): boolean {
    if (this.rudp === null && (this.chain === null || length === OPENING_BYTES)) this.rudp = this.newRudp();
    const state = this.rudp?.datagram(fromA, bytes, at, captured, length, timeUs, frame) ?? 'hopeless';
    if (this.carrier === 'icmp') this.noteIcmpType(fromA, bytes[at]!);
    // Bulk packets of R-UDP chain too: they are no acceleration.
    if (state === 'verified') this.dropChains();
    const chained = this.chain?.datagram(fromA, bytes, at, captured, length, timeUs, frame) ?? 'hopeless';
    if (captured === length) this.keyless?.datagram(fromA, bytes, at, length, frame);
    if (this.keyless?.state === 'hopeless') this.dropKeyless();
    // Echoes of other programs run between the same hosts: ICMP is never let go.
    return this.carrier === 'icmp' || state !== 'hopeless' || chained !== 'hopeless' || this.keyless !== null;
  }

  soFar(flow: DatagramFlow): void {
    if (this.inner !== null) this.tellInner(this.rudp!, this.inner);
    this.tellChains(flow);
  }

  end(flow: DatagramFlow): void {
    this.rudp?.end();
    this.endUnanswered(flow);
    this.tellChains(flow);
    this.dropChains();
  }

  private tellChains(flow: DatagramFlow): void {
    const keyless = this.rudp?.state === 'chained' ? this.rudp.withoutOpening : this.keyless;
    if (keyless?.state === 'chained') this.tellKeyless(flow, keyless);
    else if (this.chain?.state === 'chained') this.tellChannel(flow, this.chain);
  }

  private dropChains(): void {
    if (this.chain !== null) this.chains.nonces.give(this.chain);
    this.chain = null;
    this.dropKeyless();
  }

  private dropKeyless(): void {
    if (this.keyless !== null) this.chains.keyless!.give(this.keyless);
    this.keyless = null;
  }

  private noteIcmpType(fromA: boolean, type: number): void {
    if (type === ICMP_FROM_CLIENT) this.clientIsA = fromA;
    else if (type === ICMP_FROM_SERVER) this.clientIsA = !fromA;
  }

  /// R-UDP without its keys. A server goes on alone when its client has given up an attempt.
  private tellKeyless(flow: DatagramFlow, keyless: KeylessChain): void {
    const bulkLinks = keyless.bulkLinks + (this.chain?.links ?? 0);
    if (bulkLinks === 0 && Math.min(...keyless.linksOf) === 0) return;
    const facts = datagramFactsOf(flow, this.clientIsA, this.input, this.carrier, false);
    this.found.connection({
      ...emptyConnection(facts, this.profile),
      helloFrame: keyless.firstFrame,
      sidesKnown: this.carrier !== 'udp',
      rudp: {
        carrier: this.carrier,
        keyless: true,
        segments: keyless.links,
        bulkPackets: keyless.pairs,
        bulkLinks,
        frames: [keyless.firstFrame],
      },
    });
  }

  private tellChannel(flow: DatagramFlow, chain: NonceChain): void {
    this.found.acceleration({
      input: this.input,
      a: flow.a,
      b: flow.b,
      layers: flow.layers,
      firstUs: flow.firstUs,
      lastUs: flow.lastUs,
      packets: flow.packets,
      ended: flow.ended,
      bytesFromA: flow.bytesFromA,
      bytesFromB: flow.bytesFromB,
      fromA: chain.reading(true),
      fromB: chain.reading(false),
    });
  }

  dismiss(): void {
    this.rudp?.end();
    this.dropChains();
  }

  /// Over DNS and ICMP an opening shows by itself: no other program writes such messages.
  private endUnanswered(flow: DatagramFlow): void {
    const opening = this.carrier === 'udp' ? null : (this.rudp?.unanswered ?? null);
    if (opening === null) return;
    const { fromA, timeUs, frame } = opening;
    this.found.attempt({
      input: this.input,
      carrier: this.carrier,
      client: fromA ? flow.a : flow.b,
      server: fromA ? flow.b : flow.a,
      firstUs: timeUs,
      lastUs: flow.lastUs,
      answers: 0,
      inner: null,
      frames: [frame],
    });
  }

  private newRudp(): RudpFlow {
    return new RudpFlow(this.carrier, this.budget, {
      established: () => this.beginInner(),
      closed: (rudp) => this.endInner(rudp),
    });
  }

  private beginInner(): { client: TcpFlow['client']; server: TcpFlow['server'] } {
    const { weight } = this.flow;
    const inner = new TcpFlow(this.budget, weight);
    weight.add(TCP_FLOW_BYTES);
    this.innerConnection = null;
    this.innerTrace = null;
    const profiles = { own: this.profile, thirdParty: [], neverOffered: null, turns: null };
    inner.analysis = new TlsAnalysis(profiles, this.traces, this.input, {
      connection: (connection) => {
        this.innerConnection = connection;
      },
      trace: (trace) => {
        this.innerTrace = trace;
      },
    });
    this.inner = inner;
    return { client: inner.client, server: inner.server };
  }

  private endInner(rudp: RudpFlow): void {
    const inner = this.inner!;
    inner.ended = true;
    const facts = this.tellInner(rudp, inner);
    if (facts !== null) this.tellAttempt(rudp, inner, facts);
    inner.reset();
    inner.weight.add(-TCP_FLOW_BYTES);
    this.inner = null;
  }

  /// Tells the tunnel inside; if there is none yet, returns what else is known.
  private tellInner(rudp: RudpFlow, inner: TcpFlow): RudpFacts | null {
    const { flow } = this;
    const { clientIsA } = rudp;
    inner.ends = clientIsA ? { client: flow.a, server: flow.b } : { client: flow.b, server: flow.a };
    inner.layers = flow.layers;
    inner.firstUs = rudp.openingUs;
    inner.lastUs = flow.lastUs;
    inner.packets = flow.packets;
    inner.startSeen = true;
    inner.closeSeen = rudp.closeSeen;
    this.innerConnection = null;
    if (!inner.dismissed) {
      if (inner.ended) inner.analysis!.end(inner);
      else inner.analysis!.soFar?.(inner);
    }
    const facts = factsOf(rudp, this.carrier);
    if (facts.bulkLinks === 0 && this.innerConnection === null) return facts;
    const connection = this.innerConnection ?? emptyConnection(connectionOf(inner, this.input), this.profile);
    this.found.connection({
      ...connection,
      carrier: this.carrier,
      protocol: this.carrier === 'icmp' ? 'icmp' : 'udp',
      sidesKnown: true,
      bytesFromClient: clientIsA ? flow.bytesFromA : flow.bytesFromB,
      bytesFromServer: clientIsA ? flow.bytesFromB : flow.bytesFromA,
      rudp: facts,
    });
    return null;
  }

  private tellAttempt(rudp: RudpFlow, inner: TcpFlow, facts: RudpFacts): void {
    this.found.attempt({
      input: this.input,
      carrier: this.carrier,
      ...inner.ends!,
      firstUs: inner.firstUs,
      lastUs: inner.lastUs,
      answers: rudp.server.segments,
      inner: this.innerTrace,
      frames: facts.frames,
    });
  }
}

function factsOf(rudp: RudpFlow, carrier: RudpCarrier): RudpFacts {
  const { client, server } = rudp;
  return {
    carrier,
    keyless: false,
    segments: client.segments + server.segments,
    bulkLinks: client.bulkLinks + server.bulkLinks,
    bulkPackets: client.bulkPackets + server.bulkPackets,
    frames: [rudp.openingFrame, ...rudp.frames],
  };
}
