/// Looks at what begins a flow, beside those who follow it. Asked for every
/// packet of a flow that is not decided yet, so it has to be quick in saying no.

import type { Packet } from '../wire/packet.js';

export interface Listener {
  /// A datagram. True if it is understood: the flow needs no following.
  datagram(packet: Packet, bytes: Uint8Array, timeUs: number, frame: number): boolean;
  /// The first payload of a TCP connection.
  opening(packet: Packet, bytes: Uint8Array, timeUs: number, frame: number): void;
}
