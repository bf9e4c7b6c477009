/// OpenVPN whose server shows the certificate that SoftEther servers make for
/// themselves. Up to TLS 1.2 that is in clear inside OpenVPN's control channel.

import type { DatagramAnalysis, DatagramFlow } from '../flow/datagram-flow.js';
import type { MemoryBudget } from '../flow/memory-budget.js';
import { MAX_MESSAGE_BYTES, OpenVpnHandshake } from '../flow/openvpn.js';
import type { StreamAnalysis, TcpFlow } from '../flow/tcp-flow.js';
import type { HandshakeMessages } from '../wire/tls-hello.js';
import { isDefaultCertificate } from './certificates.js';
import { connectionOf, datagramFactsOf, type FlowFacts } from './connection.js';
import type { TraceProfile } from './profile.js';
import type { TlsTrace } from './tls-analysis.js';

/// The server's messages, over whatever carries them.
class OpenVpnServer {
  /// The handshake, once it has shown SoftEther's certificate.
  private shown: HandshakeMessages | null = null;
  private frame = 0;
  private readonly handshake: OpenVpnHandshake;

  constructor(
    private readonly profile: TraceProfile,
    budget: MemoryBudget,
    private readonly found: (trace: TlsTrace) => void,
  ) {
    this.handshake = new OpenVpnHandshake(budget);
  }

  /// False if the server is none of SoftEther's, or will not show it.
  message(bytes: Uint8Array, at: number, length: number, frame: number): boolean {
    if (this.shown !== null) return true;
    const read = this.handshake.message(bytes, at, length);
    if (read === null) return true;
    this.handshake.end();
    const certificate = read === 'hopeless' ? null : read.certificate;
    if (read === 'hopeless' || certificate === null || !isDefaultCertificate(certificate, this.profile))
      return false;
    this.shown = read;
    this.frame = frame;
    return true;
  }

  get isShown(): boolean {
    return this.shown !== null;
  }

  dismiss(): void {
    this.handshake.end();
  }

  end(facts: FlowFacts): void {
    this.handshake.end();
    if (this.shown === null) return;
    this.found({
      kind: 'openvpn',
      facts: { ...facts, handshake: this.shown },
      frames: [this.frame],
      answerKnown: false,
      calls: 0,
      beginsAsTools: false,
    });
  }
}

/// OpenVPN over TCP: each message behind its length in two bytes.
export class OpenVpnStream implements StreamAnalysis {
  private readonly server: OpenVpnServer;
  /// The server's next message with its length, as far as it has come.
  private readonly message = new Uint8Array(MAX_MESSAGE_BYTES + 2);
  private have = 0;
  /// What follows a hole cannot be cut into messages.
  private lost = false;

  constructor(
    profile: TraceProfile,
    private readonly input: number,
    budget: MemoryBudget,
    found: (trace: TlsTrace) => void,
  ) {
    this.server = new OpenVpnServer(profile, budget, found);
  }

  bytes(
    _flow: TcpFlow,
    fromClient: boolean,
    bytes: Uint8Array,
    start: number,
    count: number,
    _timeUs: number,
    frame: number,
  ): boolean {
    if (fromClient || this.server.isShown) return true;
    if (this.lost) return this.giveUp();
    for (let at = start; at < start + count; at++) {
      this.message[this.have++] = bytes[at]!;
      const length = (this.message[0]! << 8) | this.message[1]!;
      if (this.have < 2) continue;
      if (length === 0 || length > MAX_MESSAGE_BYTES) return this.giveUp();
      if (this.have < length + 2) continue;
      this.have = 0;
      if (!this.server.message(this.message, 2, length, frame)) return this.giveUp();
    }
    return true;
  }

  missing(_flow: TcpFlow, fromClient: boolean): void {
    if (!fromClient) this.lost = true;
  }

  end(flow: TcpFlow): void {
    this.server.end(connectionOf(flow, this.input));
  }

  private giveUp(): false {
    this.server.dismiss();
    return false;
  }
}

/// OpenVPN over UDP: each message a datagram.
export class OpenVpnDatagrams implements DatagramAnalysis {
  private readonly server: OpenVpnServer;
  private clientIsA: boolean | null = null;

  constructor(
    profile: TraceProfile,
    private readonly input: number,
    budget: MemoryBudget,
    found: (trace: TlsTrace) => void,
  ) {
    this.server = new OpenVpnServer(profile, budget, found);
  }

  datagram(
    _flow: DatagramFlow,
    fromA: boolean,
    bytes: Uint8Array,
    at: number,
    captured: number,
    length: number,
    _timeUs: number,
    frame: number,
  ): boolean {
    this.clientIsA ??= fromA;
    if (fromA === this.clientIsA || captured < length) return true;
    return this.server.message(bytes, at, length, frame);
  }

  dismiss(): void {
    this.server.dismiss();
  }

  end(flow: DatagramFlow): void {
    this.server.end(datagramFactsOf(flow, this.clientIsA!, this.input, 'udp', true));
  }
}
