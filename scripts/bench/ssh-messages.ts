/** The clear part of an SSH connection (RFC 4253), much as OpenSSH 9.2 sends it with its defaults (ssh_config(5), sshd_config(5)). */
import type { Random } from '../lab/random.js';
import { MessageBody } from './message-body.js';

const SSH_MSG_KEXINIT = 20;
const SSH_MSG_NEWKEYS = 21;
const SSH_MSG_KEX_ECDH_INIT = 30;
const SSH_MSG_KEX_ECDH_REPLY = 31;

/** Packets are padded to whole blocks of so many bytes, with four bytes at least, without keys and with the first cipher. */
const BLOCK_BYTES = 8;
const LEAST_PADDING_BYTES = 4;

const KEY_EXCHANGES = [
  'sntrup761x25519-sha512@openssh.com',
  'curve25519-sha256',
  'curve25519-sha256@libssh.org',
  'ecdh-sha2-nistp256',
  'ecdh-sha2-nistp384',
  'ecdh-sha2-nistp521',
  'diffie-hellman-group-exchange-sha256',
  'diffie-hellman-group16-sha512',
  'diffie-hellman-group18-sha512',
  'diffie-hellman-group14-sha256',
];
const HOST_KEYS = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'rsa-sha2-512', 'rsa-sha2-256'];
const CIPHERS = [
  'chacha20-poly1305@openssh.com',
  'aes128-ctr',
  'aes192-ctr',
  'aes256-ctr',
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
];
const MACS = [
  'umac-64-etm@openssh.com',
  'umac-128-etm@openssh.com',
  'hmac-sha2-256-etm@openssh.com',
  'hmac-sha2-512-etm@openssh.com',
  'hmac-sha1-etm@openssh.com',
  'umac-64@openssh.com',
  'umac-128@openssh.com',
  'hmac-sha2-256',
  'hmac-sha2-512',
  'hmac-sha1',
];
const COMPRESSIONS = ['none', 'zlib@openssh.com'];

/** Keys of sntrup761 and of X25519 together, of the client and the server. */
const CLIENT_KEYS_BYTES = 1158 + 32;
const SERVER_KEYS_BYTES = 1039 + 32;
/** The server's own key and what it signs with it (RFC 8709). */
const HOST_KEY = 'ssh-ed25519';
const HOST_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

export const SSH_IDENTIFICATION = new TextEncoder().encode('SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n');

/** What one side offers. */
export function sshOffer(random: Random, isClient: boolean): Uint8Array {
  const exchanges = isClient ? [...KEY_EXCHANGES, 'ext-info-c'] : KEY_EXCHANGES;
  const compressions = isClient ? [...COMPRESSIONS, 'zlib'] : COMPRESSIONS;
  const lists = [exchanges, HOST_KEYS, CIPHERS, CIPHERS, MACS, MACS, compressions, compressions, [], []];
  return clearPacket(random, (payload) => {
    payload.u8(SSH_MSG_KEXINIT).random(random, 16);
    for (const names of lists) payload.nested(4, (list) => list.text(names.join(',')));
    payload.u8(0, 0, 0, 0, 0);
  });
}

/** The client's keys. */
export function sshClientKeys(random: Random): Uint8Array {
  return clearPacket(random, (payload) =>
    payload.u8(SSH_MSG_KEX_ECDH_INIT).nested(4, (keys) => keys.random(random, CLIENT_KEYS_BYTES)),
  );
}

/** The server's, and that all it sends from here on is encrypted. */
export function sshServerKeys(random: Random): Uint8Array {
  const ofHostKey = (field: MessageBody, length: number) =>
    field.nested(4, (name) => name.text(HOST_KEY)).nested(4, (bytes) => bytes.random(random, length));
  const reply = clearPacket(random, (payload) => {
    payload
      .u8(SSH_MSG_KEX_ECDH_REPLY)
      .nested(4, (field) => ofHostKey(field, HOST_KEY_BYTES))
      .nested(4, (keys) => keys.random(random, SERVER_KEYS_BYTES))
      .nested(4, (field) => ofHostKey(field, SIGNATURE_BYTES));
  });
  return Uint8Array.from([...reply, ...sshNewKeys(random)]);
}

export function sshNewKeys(random: Random): Uint8Array {
  return clearPacket(random, (payload) => payload.u8(SSH_MSG_NEWKEYS));
}

/** RFC 4253 section 6, without encryption. */
function clearPacket(random: Random, fill: (payload: MessageBody) => void): Uint8Array {
  const payload = new MessageBody();
  fill(payload);
  const lengths = 4 + 1;
  const unpadded = lengths + payload.bytes.length + LEAST_PADDING_BYTES;
  const padding = LEAST_PADDING_BYTES + wholeBlocks(unpadded) - unpadded;
  const packet = new MessageBody().nested(4, (rest) => {
    rest.u8(padding, ...payload.bytes).random(random, padding);
  });
  return Uint8Array.from(packet.bytes);
}

/** Bytes of a packet with so much payload under chacha20-poly1305@openssh.com, the first cipher that both offer. */
export function sshEncryptedBytes(payloadBytes: number): number {
  return 4 + wholeBlocks(1 + payloadBytes + LEAST_PADDING_BYTES) + 16;
}

function wholeBlocks(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}
