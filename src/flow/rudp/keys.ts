/// The keys of an R-UDP session. They follow from its first packet, which
/// travels in clear: nothing secret is needed to read what is inside.
/// Source: S4 and S5 Network.c RUDPNewSession; checked on recordings.

import { sha1 } from '@noble/hashes/legacy.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';

export const SHA1_BYTES = 20;

export interface RudpKeys {
  /// Signs and encrypts what the client sends, and what the server sends.
  client: Uint8Array;
  server: Uint8Array;
  /// The whole data of a keep-alive segment.
  keepAliveRequest: Uint8Array;
  keepAliveResponse: Uint8Array;
}

/// XORed to the signatures inside DNS and ICMP: SHA-1 of the service name
/// "SoftEther_VPN" in small letters (Network.c NewRUDP, SvcNameHash).
export const SERVICE_NAME_HASH: Uint8Array = sha1(utf8ToBytes('softether_vpn'));

/// The keys of the session whose first packet begins with these 20 bytes.
export function rudpKeys(initial: Uint8Array): RudpKeys {
  const server = sha1(concatBytes(initial, text('zurukko')));
  return {
    server,
    client: sha1(concatBytes(initial, server, text('yasushineko'))),
    keepAliveRequest: sha1(concatBytes(initial, text('Magic_KeepAliveRequest'))),
    keepAliveResponse: sha1(concatBytes(initial, text('Magic_KeepAliveResponse'))),
  };
}

/// Memory.c WriteBufStr: the length plus 1 as four bytes, then the characters.
function text(characters: string): Uint8Array {
  const bytes = utf8ToBytes(characters);
  return concatBytes(Uint8Array.of(0, 0, 0, bytes.length + 1), bytes);
}
