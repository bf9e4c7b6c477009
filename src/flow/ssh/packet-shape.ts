/// How long an SSH packet is on the wire for a payload of p bytes, by cipher
/// and MAC.
///
/// RFC 4253 section 6: packet_length (4 bytes), padding_length (1), payload,
/// at least 4 bytes of padding, MAC. What is padded to whole blocks differs:
///
///     chacha20-poly1305@openssh.com   all but the length; its own 16-byte tag
///     aes*-gcm (RFC 5647 section 7.2) all but the length, in clear; 16-byte tag
///     *-etm@openssh.com               all but the length, in clear; the MAC
///     any other MAC                   the length too
///
/// Checked by recording OpenSSH 9.2 with each row.

export interface SshPacketShape {
  /// Bytes that do not depend on the payload and are not padded.
  readonly base: number;
  readonly block: number;
  /// Bytes padded together with the payload: 5, or 9 with the length.
  readonly padded: number;
  /// The length of every packet can be read.
  readonly lengthInClear: boolean;
}

/// SSH_MSG_CHANNEL_DATA in front of its data: type, channel, length (RFC 4254 section 5.2).
export const CHANNEL_DATA_BYTES = 9;

const LENGTH_BYTES = 4;
const AEAD_TAG_BYTES = 16;
/// The padding's length and its fewest bytes.
const PADDING_BYTES = 1 + 4;
const ETM_SUFFIX = '-etm@openssh.com';

/// RFC 4253 section 6.4, RFC 6668, and OpenSSH's PROTOCOL section 1.6 with its umac drafts.
const MAC_BYTES: Readonly<Record<string, number>> = {
  'hmac-sha1': 20,
  'hmac-sha1-96': 12,
  'hmac-md5': 16,
  'hmac-md5-96': 12,
  'hmac-sha2-256': 32,
  'hmac-sha2-256-96': 12,
  'hmac-sha2-512': 64,
  'hmac-sha2-512-96': 12,
  'hmac-ripemd160': 20,
  'hmac-ripemd160@openssh.com': 20,
  'hmac-sha256-2@ssh.com': 32,
  'hmac-sha256@ssh.com': 32,
  'hmac-sha512@ssh.com': 64,
  'umac-64@openssh.com': 8,
  'umac-128@openssh.com': 16,
  none: 0,
};

/// The shape of packets under this cipher and MAC; null if either is unknown.
export function sshPacketShape(cipher: string, mac: string): SshPacketShape | null {
  if (cipher.startsWith('chacha20-poly1305')) return aead(8, false);
  if (/^aes(128|192|256)-gcm(@openssh\.com)?$|^AEAD_AES_(128|256)_GCM$/.test(cipher)) return aead(16, true);
  const block = cipherBlock(cipher);
  const encryptThenMac = mac.endsWith(ETM_SUFFIX);
  const bareMac = encryptThenMac ? mac.slice(0, -ETM_SUFFIX.length) : mac;
  const macBytes = ownNumber(MAC_BYTES, bareMac) ?? ownNumber(MAC_BYTES, `${bareMac}@openssh.com`);
  if (block === null || macBytes === undefined) return null;
  return encryptThenMac
    ? { base: LENGTH_BYTES + macBytes, block, padded: PADDING_BYTES, lengthInClear: true }
    : { base: macBytes, block, padded: LENGTH_BYTES + PADDING_BYTES, lengthInClear: cipher === 'none' };
}

/// Bytes on the wire of a packet with `payload` bytes and the least padding,
/// which is what OpenSSH, PuTTY, libssh and libssh2 use.
export function wireBytes(shape: SshPacketShape, payload: number): number {
  return shape.base + shape.block * Math.ceil((payload + shape.padded) / shape.block);
}

/// Bytes on the wire of `data` bytes of a channel in one packet.
export function channelWireBytes(shape: SshPacketShape, data: number): number {
  return wireBytes(shape, CHANNEL_DATA_BYTES + data);
}

/// What one packet adds to the channel data that it carries, at least and at most.
export function leastOverhead(shape: SshPacketShape): number {
  return shape.base + shape.padded + CHANNEL_DATA_BYTES;
}
export function mostOverhead(shape: SshPacketShape): number {
  return leastOverhead(shape) + shape.block - 1;
}

/// The shapes that the ciphers and MACs of today's programs give. A flow whose
/// negotiation was not captured has one of them.
export const USUAL_SHAPES: readonly SshPacketShape[] = [
  aead(8, false),
  aead(16, true),
  { base: 12, block: 16, padded: 5, lengthInClear: true },
  { base: 24, block: 16, padded: 5, lengthInClear: true },
  { base: 36, block: 16, padded: 5, lengthInClear: true },
  { base: 68, block: 16, padded: 5, lengthInClear: true },
  { base: 8, block: 16, padded: 9, lengthInClear: false },
  { base: 16, block: 16, padded: 9, lengthInClear: false },
  { base: 20, block: 16, padded: 9, lengthInClear: false },
  { base: 32, block: 16, padded: 9, lengthInClear: false },
  { base: 64, block: 16, padded: 9, lengthInClear: false },
];

function aead(block: number, lengthInClear: boolean): SshPacketShape {
  return { base: LENGTH_BYTES + AEAD_TAG_BYTES, block, padded: PADDING_BYTES, lengthInClear };
}

/// Block bytes that packets are padded to: the cipher's, 8 at least (RFC 4253 section 6).
function cipherBlock(cipher: string): number | null {
  if (/^(aes|rijndael|twofish|serpent|camellia|seed)/.test(cipher)) return 16;
  if (/^(3des|des|blowfish|cast128|idea|arcfour)/.test(cipher) || cipher === 'none') return 8;
  return null;
}

function ownNumber(table: Readonly<Record<string, number>>, name: string): number | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
