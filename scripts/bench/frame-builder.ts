/** Ethernet frames with IPv4 or IPv6 and TCP, UDP or ICMP in them. */

export const TCP_FIN = 0x01;
export const TCP_SYN = 0x02;
export const TCP_RST = 0x04;
export const TCP_PSH = 0x08;
export const TCP_ACK = 0x10;

export const PROTOCOL_ICMP = 1;
export const PROTOCOL_UDP = 17;
const PROTOCOL_TCP = 6;

const ETHERNET_HEADER_BYTES = 14;
/** Shortest Ethernet frame, without its check sequence. */
const MIN_FRAME_BYTES = 60;
/** Longest Ethernet frame. */
export const MAX_FRAME_BYTES = 1514;

/** Who talks to whom. An IPv6 address is 2001:db8:: with the number at its end. */
export interface Ends {
  readonly version: 4 | 6;
  readonly clientAddress: number;
  readonly serverAddress: number;
  readonly clientPort: number;
  readonly serverPort: number;
}

/** Options of a SYN: segment size, selective acknowledgement, timestamps, window scale. */
const SYN_OPTIONS = [2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7];
const TIMESTAMP_OPTIONS = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 1];

/**
 * Builds one frame after the other in the same bytes. Checksums of IPv4 headers
 * are right; those above are left to the network card, as on a sending host.
 */
export class FrameBuilder {
  readonly bytes = new Uint8Array(2048);
  /** Of the frame that was built last. */
  length = 0;
  private readonly view = new DataView(this.bytes.buffer);
  private identification = 0;

  constructor() {
    // Locally administered addresses of two neighbours.
    this.bytes.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
  }

  /** A TCP segment; returns where its payload is to be written. */
  tcp(
    ends: Ends,
    fromClient: boolean,
    sequence: number,
    acknowledgement: number,
    flags: number,
    timestamps: boolean,
    payloadLen: number,
  ): number {
    const options = (flags & TCP_SYN) !== 0 ? SYN_OPTIONS : timestamps ? TIMESTAMP_OPTIONS : [];
    const headerBytes = 20 + options.length;
    const at = this.ip(ends, fromClient, PROTOCOL_TCP, headerBytes + payloadLen);
    const { view } = this;
    view.setUint16(at, fromClient ? ends.clientPort : ends.serverPort, false);
    view.setUint16(at + 2, fromClient ? ends.serverPort : ends.clientPort, false);
    view.setUint32(at + 4, sequence, false);
    view.setUint32(at + 8, acknowledgement, false);
    view.setUint8(at + 12, headerBytes << 2);
    view.setUint8(at + 13, flags);
    view.setUint16(at + 14, 64_240, false);
    view.setUint32(at + 16, 0, false);
    this.bytes.set(options, at + 20);
    return at + headerBytes;
  }

  /** A UDP datagram; returns where its payload is to be written. */
  udp(ends: Ends, fromClient: boolean, payloadLen: number): number {
    const at = this.ip(ends, fromClient, PROTOCOL_UDP, 8 + payloadLen);
    const { view } = this;
    view.setUint16(at, fromClient ? ends.clientPort : ends.serverPort, false);
    view.setUint16(at + 2, fromClient ? ends.serverPort : ends.clientPort, false);
    view.setUint16(at + 4, 8 + payloadLen, false);
    view.setUint16(at + 6, 0, false);
    return at + 8;
  }

  /** An ICMP echo request or reply; returns where its data is to be written. */
  echo(ends: Ends, fromClient: boolean, count: number, dataLen: number): number {
    const at = this.ip(ends, fromClient, PROTOCOL_ICMP, 8 + dataLen);
    const { view } = this;
    view.setUint16(at, fromClient ? 0x0800 : 0, false);
    view.setUint16(at + 2, 0, false);
    view.setUint16(at + 4, ends.clientPort, false);
    view.setUint16(at + 6, count, false);
    return at + 8;
  }

  /** An ARP request. */
  arp(sender: number, target: number): void {
    const { view, bytes } = this;
    this.length = MIN_FRAME_BYTES;
    bytes.fill(0, ETHERNET_HEADER_BYTES, this.length);
    view.setUint16(12, 0x0806, false);
    bytes.set([0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2], ETHERNET_HEADER_BYTES);
    view.setUint32(28, sender, false);
    view.setUint32(38, target, false);
  }

  /** Ethernet and IP headers; returns where the transport header begins. */
  private ip(ends: Ends, fromClient: boolean, protocol: number, bodyLen: number): number {
    const source = fromClient ? ends.clientAddress : ends.serverAddress;
    const destination = fromClient ? ends.serverAddress : ends.clientAddress;
    const { view, bytes } = this;
    const at = ETHERNET_HEADER_BYTES;
    const headerBytes = ends.version === 4 ? 20 : 40;
    const length = at + headerBytes + bodyLen;
    this.length = Math.max(length, MIN_FRAME_BYTES);
    if (length < MIN_FRAME_BYTES) bytes.fill(0, length, MIN_FRAME_BYTES);
    if (ends.version === 4) {
      view.setUint16(12, 0x0800, false);
      view.setUint16(at, 0x4500, false);
      view.setUint16(at + 2, headerBytes + bodyLen, false);
      this.identification = (this.identification + 1) & 0xffff;
      view.setUint16(at + 4, this.identification, false);
      view.setUint16(at + 6, 0x4000, false);
      view.setUint8(at + 8, 64);
      view.setUint8(at + 9, protocol);
      view.setUint16(at + 10, 0, false);
      view.setUint32(at + 12, source, false);
      view.setUint32(at + 16, destination, false);
      view.setUint16(at + 10, this.headerChecksum(at), false);
    } else {
      view.setUint16(12, 0x86dd, false);
      view.setUint32(at, 0x6000_0000, false);
      view.setUint16(at + 4, bodyLen, false);
      view.setUint8(at + 6, protocol);
      view.setUint8(at + 7, 64);
      this.ipv6Address(at + 8, source);
      this.ipv6Address(at + 24, destination);
    }
    return at + headerBytes;
  }

  private ipv6Address(at: number, number: number): void {
    this.view.setUint32(at, 0x20010db8, false);
    this.view.setUint32(at + 4, 0, false);
    this.view.setUint32(at + 8, 0, false);
    this.view.setUint32(at + 12, number, false);
  }

  private headerChecksum(at: number): number {
    let sum = 0;
    for (let i = 0; i < 20; i += 2) sum += this.view.getUint16(at + i, false);
    sum = (sum & 0xffff) + (sum >>> 16);
    return ~(sum + (sum >>> 16)) & 0xffff;
  }
}
