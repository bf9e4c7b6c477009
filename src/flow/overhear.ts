/// Looks at what begins a flow, beside those who follow it. Asked for every
/// packet of a flow that is not decided yet, so it has to be quick in saying no.

import type { Packet } from '../wire/packet.js';

export {
  LETTER_A,
  LETTER_G,
  LETTER_I,
  LETTER_P,
  PORT_DNS,
  PORT_HTTP,
  PORT_IKE,
  PORT_IKE_NAT,
  PORT_L2TP,
  PORT_NAT_T,
} from '../loops/openings.js';

export interface Listener {
  /// How the names end that are listened for, in lower case: those of hellos, and those that are looked up. A dot
  /// stands for any byte. Of others nothing need be told.
  readonly nameEndings: readonly Uint8Array[];
  /// A datagram, of ports that `isListenedTo`. True if it is understood: the flow needs no following.
  datagram(packet: Packet, bytes: Uint8Array, timeUs: number, frame: number): boolean;
  /// The first payload of a TCP connection. What begins with none of the bytes of `mayBeginTcp`, and requests of
  /// HTTP to other names, need not be told.
  opening(packet: Packet, bytes: Uint8Array, timeUs: number, frame: number): void;
}
