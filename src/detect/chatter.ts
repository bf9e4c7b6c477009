/// What SoftEther servers and clients say in clear to their makers' servers and
/// to name servers: one message at a time, without following a flow.

import { hexToBytes } from '@noble/hashes/utils.js';
import {
  LETTER_A,
  LETTER_G,
  LETTER_I,
  LETTER_P,
  type Listener,
  PORT_DNS,
  PORT_HTTP,
  PORT_IKE,
  PORT_IKE_NAT,
  PORT_L2TP,
  PORT_NAT_T,
} from '../flow/overhear.js';
import { type NatTPack, readNatT } from '../flow/rudp/nat-t.js';
import { readDnsQuestion } from '../wire/dns-question.js';
import { latin1 } from '../wire/latin1.js';
import type { Packet } from '../wire/packet.js';
import { sameBytes } from '../wire/same-bytes.js';
import { findServerName } from '../wire/server-name.js';
import type { Offer } from './findings.js';
import type { RawEnd } from './identity.js';
import type { TraceProfile } from './profile.js';
import { TraceNames, textBytes } from './trace-names.js';

const PORT_HTTPS = 443;

const TLS_HANDSHAKE = 22;
const SPACE = 0x20;

/// RFC 2408 sections 3.1, 3.2 and 3.16.
const IKE_HEADER_BYTES = 28;
const IKE_VERSION_1 = 0x10;
const IKE_MAIN_MODE = 2;
const IKE_VENDOR_ID = 13;
const MAX_IKE_PAYLOADS = 32;
/// RFC 3948 section 2.2: on port 4500 four bytes of zero tell IKE from ESP.
const NO_ESP_BYTES = 4;

/// RFC 2661 sections 3.1 and 4.1: a control message with length and sequence, of version 2.
const L2TP_CONTROL = 0xc802;
const L2TP_HEADER_BYTES = 12;
const L2TP_REPLY = 2;
const L2TP_HOST_NAME = 7;
const L2TP_VENDOR_NAME = 8;
const ATTRIBUTE_HEADER_BYTES = 6;

/// One message that was understood.
export interface Overheard {
  kind: string;
  client: RawEnd;
  server: RawEnd;
  detail: string;
  timeUs: number;
  frame: number;
  /// What a server registered for itself.
  registration: NatTPack | null;
  /// The VPN server that a client asked for.
  wanted: NatTPack | null;
  /// The protocol in which the server showed itself.
  offers: Offer | null;
}

export class Chatter implements Listener {
  readonly nameEndings: readonly Uint8Array[];
  private readonly names: TraceNames;
  private readonly keepAlive: Uint8Array;
  private readonly azure: Uint8Array;
  private readonly ddns: Uint8Array;
  private readonly vendorIds: readonly Uint8Array[];
  private readonly l2tpVendor: Uint8Array;
  private readonly host = textBytes('\nHost: ');
  /// What a 4.x client puts behind a name where NAT traversal is off (facts 1.3).
  private readonly slashTcp = textBytes('/tcp');
  private readonly place = { at: 0, length: 0 };

  constructor(
    private readonly profile: TraceProfile,
    private readonly heard: (message: Overheard) => void,
  ) {
    this.names = new TraceNames(profile.names);
    this.keepAlive = textBytes(profile.keepAliveText);
    this.azure = textBytes(profile.azureSignature);
    this.ddns = textBytes(profile.ddnsServerName);
    this.nameEndings = [
      ...this.names.domains,
      textBytes(profile.ddnsServerName.toLowerCase()),
      this.slashTcp,
    ];
    this.vendorIds = profile.ike.vendorIds.map(hexToBytes);
    this.l2tpVendor = textBytes(profile.l2tp.vendorName);
  }

  datagram(packet: Packet, bytes: Uint8Array, timeUs: number, frame: number): boolean {
    const { sourcePort, destinationPort, payloadAt, payloadCaptured, payloadLen } = packet;
    switch (destinationPort) {
      case PORT_DNS:
        this.dns(packet, bytes, timeUs, frame);
        return false;
      case PORT_HTTP:
        if (
          payloadLen !== this.keepAlive.length ||
          !begins(bytes, payloadAt, payloadCaptured, this.keepAlive)
        )
          return false;
        this.tell(packet, bytes, timeUs, frame, 'keep-alive', 'UDP packet that keeps the line open');
        return true;
      case PORT_NAT_T:
        return this.natT(packet, bytes, timeUs, frame, true);
    }
    if (sourcePort === PORT_NAT_T) return this.natT(packet, bytes, timeUs, frame, false);
    switch (sourcePort) {
      case PORT_IKE:
        this.ike(packet, bytes, 0, timeUs, frame);
        break;
      case PORT_IKE_NAT:
        this.ike(packet, bytes, NO_ESP_BYTES, timeUs, frame);
        break;
      case PORT_L2TP:
        this.l2tp(packet, bytes, timeUs, frame);
    }
    return false;
  }

  opening(packet: Packet, bytes: Uint8Array, timeUs: number, frame: number): void {
    const { payloadAt: at, payloadCaptured: length } = packet;
    if (length === 0) return;
    switch (bytes[at]) {
      case TLS_HANDSHAKE:
        if (findServerName(bytes, at, length, this.place)) this.serverName(packet, bytes, timeUs, frame);
        break;
      case LETTER_A:
        if (packet.destinationPort === PORT_HTTPS && begins(bytes, at, length, this.azure)) {
          this.tell(packet, bytes, timeUs, frame, 'azure', 'control connection of a server to VPN Azure');
        }
        break;
      case LETTER_I:
        if (begins(bytes, at, length, this.keepAlive)) {
          this.tell(packet, bytes, timeUs, frame, 'keep-alive', 'TCP data that keeps the line open');
        }
        break;
      case LETTER_G:
      case LETTER_P:
        if (bytes[at + 3] === SPACE || bytes[at + 4] === SPACE) this.http(packet, bytes, timeUs, frame);
    }
  }

  private dns(packet: Packet, bytes: Uint8Array, timeUs: number, frame: number): void {
    const { payloadAt: at, payloadCaptured: length } = packet;
    // Only questions, whose name is all that follows but for type and class.
    if (length < 12 || (bytes[at + 2]! & 0x80) !== 0) return;
    let next = at + 12;
    const end = at + length;
    while (next < end && bytes[next] !== 0 && bytes[next]! < 64) next += 1 + bytes[next]!;
    if (next >= end || bytes[next] !== 0) return;
    const kind = this.names.kindOf(bytes, at + 13, next);
    if (kind === null) return;
    const name = readDnsQuestion(bytes, at, length);
    if (name === null) return;
    this.tell(packet, bytes, timeUs, frame, kind, `DNS question for ${name.toLowerCase()}`);
  }

  private serverName(packet: Packet, bytes: Uint8Array, timeUs: number, frame: number): void {
    const { at, length } = this.place;
    if (length === this.ddns.length && begins(bytes, at, length, this.ddns)) {
      const detail = `TLS with the server name ${this.profile.ddnsServerName}: dynamic DNS or a check for updates`;
      this.tell(packet, bytes, timeUs, frame, 'dynamic-dns', detail);
      return;
    }
    const slashAt = at + length - this.slashTcp.length;
    const endsInTcp = length > this.slashTcp.length && begins(bytes, slashAt, length, this.slashTcp);
    const kind = endsInTcp ? 'contact' : this.names.kindOf(bytes, at, at + length);
    if (kind === null) return;
    const name = latin1(bytes, at, at + length);
    this.tell(packet, bytes, timeUs, frame, kind, `TLS with the server name ${name}`);
  }

  private http(packet: Packet, bytes: Uint8Array, timeUs: number, frame: number): void {
    const { payloadAt, payloadCaptured } = packet;
    const { host } = this;
    const end = payloadAt + payloadCaptured;
    for (let i = payloadAt; i + host.length < end; i++) {
      if (bytes[i] !== host[0] || !begins(bytes, i, end - i, host)) continue;
      const nameAt = i + host.length;
      let nameEnd = nameAt;
      // Up to the port or the end of the line.
      while (nameEnd < end && bytes[nameEnd]! > SPACE && bytes[nameEnd] !== 0x3a) nameEnd++;
      const kind = this.names.kindOf(bytes, nameAt, nameEnd);
      if (kind !== null) {
        const name = latin1(bytes, nameAt, nameEnd).toLowerCase();
        this.tell(packet, bytes, timeUs, frame, kind, `HTTP request to ${name}`);
      }
      return;
    }
  }

  private natT(packet: Packet, bytes: Uint8Array, timeUs: number, frame: number, asked: boolean): boolean {
    if (packet.payloadCaptured < packet.payloadLen) return false;
    const message = readNatT(bytes, packet.payloadAt, packet.payloadLen);
    if (message === null) return false;
    if (message.kind === 'endpoint' && !asked) {
      const detail = 'answer that keeps a port of NAT traversal open';
      this.tell(packet, bytes, timeUs, frame, 'nat-traversal', detail, null, true);
      return true;
    }
    if (message.kind !== 'pack') return false;
    // Answers repeat the question's opcode.
    if (asked && message.ok === null) {
      this.tell(packet, bytes, timeUs, frame, 'nat-traversal', natTDetail(message), message);
    }
    return true;
  }

  /// The second message of main mode, with which a server chooses and says who made it.
  private ike(packet: Packet, bytes: Uint8Array, skipped: number, timeUs: number, frame: number): void {
    const at = packet.payloadAt + skipped;
    const end = packet.payloadAt + packet.payloadCaptured;
    if (end - at < IKE_HEADER_BYTES || !isZero(bytes, packet.payloadAt, skipped)) return;
    if (bytes[at + 17] !== IKE_VERSION_1 || bytes[at + 18] !== IKE_MAIN_MODE) return;
    // Only the client's first message names no responder.
    if (isZero(bytes, at + 8, 8)) return;
    const { vendorIds } = this;
    let type = bytes[at + 16]!;
    let next = at + IKE_HEADER_BYTES;
    let seen = 0;
    for (let i = 0; i < MAX_IKE_PAYLOADS && type !== 0 && next + 4 <= end; i++) {
      const size = (bytes[next + 2]! << 8) | bytes[next + 3]!;
      if (size < 4 || next + size > end) return;
      if (type === IKE_VENDOR_ID) {
        const expected = vendorIds[seen];
        if (expected === undefined || !isExactly(bytes, next + 4, next + size, expected)) return;
        seen++;
      }
      type = bytes[next]!;
      next += size;
    }
    if (seen < vendorIds.length) return;
    this.tellClone(
      packet,
      bytes,
      timeUs,
      frame,
      'ipsec',
      'IPsec server with the vendor IDs of SoftEther VPN',
    );
  }

  /// The answer to the request for a control connection, outside IPsec.
  private l2tp(packet: Packet, bytes: Uint8Array, timeUs: number, frame: number): void {
    const { payloadAt, payloadCaptured } = packet;
    const { attributes } = this.profile.l2tp;
    let at = payloadAt + L2TP_HEADER_BYTES;
    const end = payloadAt + payloadCaptured;
    let host = '';
    if (end < at || number16(bytes, payloadAt) !== L2TP_CONTROL) return;
    for (const type of attributes) {
      if (at + ATTRIBUTE_HEADER_BYTES > end) return;
      const size = number16(bytes, at) & 0x3ff;
      const valueAt = at + ATTRIBUTE_HEADER_BYTES;
      if (size < ATTRIBUTE_HEADER_BYTES || at + size > end || number16(bytes, at + 4) !== type) return;
      if (type === 0 && number16(bytes, valueAt) !== L2TP_REPLY) return;
      if (type === L2TP_VENDOR_NAME && !isExactly(bytes, valueAt, at + size, this.l2tpVendor)) return;
      if (type === L2TP_HOST_NAME) host = latin1(bytes, valueAt, at + size);
      at += size;
    }
    if (at !== end) return;
    const detail = `L2TP server that answers as SoftEther VPN does, host name ${host}`;
    this.tellClone(packet, bytes, timeUs, frame, 'l2tp', detail);
  }

  private tell(
    packet: Packet,
    bytes: Uint8Array,
    timeUs: number,
    frame: number,
    kind: string,
    detail: string,
    pack: NatTPack | null = null,
    fromServer = false,
    offers: Offer | null = null,
  ): void {
    const width = packet.version === 4 ? 4 : 16;
    const { addressesAt, sourcePort, destinationPort } = packet;
    const source = { address: bytes.slice(addressesAt, addressesAt + width), port: sourcePort };
    const destinationAt = addressesAt + width;
    const destination = { address: bytes.slice(destinationAt, destinationAt + width), port: destinationPort };
    this.heard({
      kind,
      client: fromServer ? destination : source,
      server: fromServer ? source : destination,
      detail,
      timeUs,
      frame,
      registration: pack?.opcode === 'nat_t_register' && pack.isSoftEther ? pack : null,
      wanted: pack?.opcode === 'nat_t_connect_request' ? pack : null,
      offers,
    });
  }

  /// A server shows itself in another VPN's protocol.
  private tellClone(
    packet: Packet,
    bytes: Uint8Array,
    timeUs: number,
    frame: number,
    offers: Offer,
    detail: string,
  ): void {
    this.tell(packet, bytes, timeUs, frame, 'clone', detail, null, true, offers);
  }
}

function natTDetail(pack: NatTPack): string {
  switch (pack.opcode) {
    case 'nat_t_register': {
      const parts = [
        pack.hostName && `host name ${pack.hostName}`,
        pack.ddnsName && `dynamic DNS name ${pack.ddnsName}`,
        pack.product,
      ];
      return ['registration of a VPN server', ...parts.filter(Boolean)].join(', ');
    }
    case 'get_token':
      return 'a VPN server asks for a token to register with';
    case 'nat_t_connect_request': {
      const name = pack.targetHost === null ? '' : ` as ${pack.targetHost}`;
      return `a client asks for the VPN server ${pack.serverAddress ?? ''}${name}`;
    }
    case 'nat_t_connect_relay':
      return "a client's request is passed on to a VPN server";
  }
}

function begins(bytes: Uint8Array, at: number, length: number, text: Uint8Array): boolean {
  return length >= text.length && sameBytes(bytes, at, text, 0, text.length);
}

function isExactly(bytes: Uint8Array, at: number, end: number, expected: Uint8Array): boolean {
  return end - at === expected.length && begins(bytes, at, end - at, expected);
}

function isZero(bytes: Uint8Array, at: number, length: number): boolean {
  for (let i = at; i < at + length; i++) if (bytes[i] !== 0) return false;
  return true;
}

function number16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}
