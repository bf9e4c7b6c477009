/// The DNS names of NAT-T servers. Before it connects, a client asks for the
/// one that is responsible for its VPN server: two digits of the server's address.
///
/// Source: S4 and S5 Network.c RUDPGetRegisterHostNameByIP (facts 1.1, 7.1);
/// checked on recordings (203.0.113.10 gives x2.x3).

import { sha1 } from '@noble/hashes/legacy.js';

/// 5.x puts `dev.` before `servers`; `uxcom.jp` is the alternative. Names of 4.03 have two labels more.
const NAME =
  /^(x[0-9a-f](?:\.x[0-9a-f]){1,3})\.(dev\.)?servers\.nat-traversal\.(?:softether-network\.net|uxcom\.jp)$/;

export interface NatTName {
  /// `x2.x3`
  label: string;
  /// Of the software that asks.
  generation: '4.x' | '5.x';
}

/// Null if this is no name of a NAT-T server. A final dot and capital letters are allowed.
export function readNatTName(name: string): NatTName | null {
  const match = NAME.exec(name.toLowerCase().replace(/\.$/, ''));
  if (match === null) return null;
  return { label: match[1]!, generation: match[2] === undefined ? '4.x' : '5.x' };
}

/// The label for a VPN server's IPv4 address: the two digits of the second byte of its SHA-1.
export function natTLabel(address: Uint8Array): string {
  const byte = sha1(address)[1]!;
  return `x${(byte >> 4).toString(16)}.x${(byte & 15).toString(16)}`;
}

/// True if a client that asks for this name may be on its way to this server.
/// One server in 256 has the same label; and besides, a client asks for a
/// random one (UdpAccel.c: the name of an invented 11.x.x.x address).
export function isNatTNameOf(name: NatTName, serverAddress: Uint8Array): boolean {
  return serverAddress.length === 4 && name.label.startsWith(natTLabel(serverAddress));
}
