/// What the first payloads of flows are told apart by. Read by both compilers, as `layout.ts`.

export const PORT_DNS = 53;
export const PORT_HTTP = 80;
export const PORT_IKE = 500;
export const PORT_L2TP = 1701;
export const PORT_IKE_NAT = 4500;
/// Network.h UDP_NAT_T_PORT.
export const PORT_NAT_T = 5004;

/// True if somebody listens to the datagrams of these ports, whatever flow they are of (`detect/chatter.ts`).
export function isListenedTo(source: number, destination: number): boolean {
  switch (destination) {
    case PORT_DNS:
    case PORT_HTTP:
    case PORT_NAT_T:
      return true;
    default:
      return source === PORT_NAT_T || source === PORT_IKE || source === PORT_IKE_NAT || source === PORT_L2TP;
  }
}

/// An ordinary flow of datagrams is let go at its tenth, most have fewer than this.
export const DATAGRAMS_BEFORE = 4;
/// The shortest datagram of UDP acceleration (UdpAccel.c: UdpAccelSend, without encryption).
export const MIN_DATAGRAM_BYTES = 23;
/// The first packet of an R-UDP client: 20 bytes that the keys follow from, then 19 random ones
/// (Network.c, RUDP_SESSION_STATUS_CONNECT_SENT).
export const RUDP_OPENING_BYTES = 39;
/// The same in an ICMP message, whose header is not payload: behind a hash of it.
export const RUDP_ICMP_OPENING_BYTES = 20 + RUDP_OPENING_BYTES;
/// Opcode and session, number of acknowledgements, number of the message (`flow/openvpn.ts`).
export const OPENVPN_RESET_BYTES = 14;

/// Information request and reply, which nobody else sends any more (RFC 792, RFC 6918).
export const ICMP_INFORMATION_REQUEST = 15;
export const ICMP_INFORMATION_REPLY = 16;

/// Versions 1 and 2 of QUIC (RFC 9000 section 17.2, RFC 9369 section 3.1). Most
/// UDP traffic is QUIC, and nothing random begins like this.
export function isQuicVersion(version: number): boolean {
  return version === 0x0000_0001 || version === 0x6b33_43cf;
}

export const TLS_RECORD_ALERT = 21;
export const TLS_ALERT_WARNING = 1;
export const TLS_RECORD_HANDSHAKE = 22;
export const TLS_CLIENT_HELLO = 1;
export const TLS_SERVER_HELLO = 2;
export const TLS_EXTENSION_SERVER_NAME = 0;
export const TLS_EXTENSION_ALPN = 16;
export const TLS_EXTENSION_SUPPORTED_VERSIONS = 43;
export const TLS_VERSION_1_3 = 0x0304;

export const LETTER_A = 0x41;
export const LETTER_G = 0x47;
export const LETTER_I = 0x49;
export const LETTER_P = 0x50;
const LETTER_C = 0x43;
const LETTER_S = 0x53;

/// True if what is said first in a TCP connection may be of interest when it begins with this byte: to those who follow
/// (`flow/tcp-follower.ts`), or to those who listen (`detect/chatter.ts`).
export function mayBeginTcp(first: number): boolean {
  switch (first) {
    case TLS_RECORD_HANDSHAKE:
    // The length of OpenVPN's first message; SOCKS4 and SOCKS5; CONNECT and SSH.
    case 0:
    case 4:
    case 5:
    case LETTER_C:
    case LETTER_S:
    // What clients and servers of SoftEther say in clear: GET and POST, ACTL, Internet.
    case LETTER_G:
    case LETTER_P:
    case LETTER_A:
    case LETTER_I:
      return true;
    default:
      return false;
  }
}
