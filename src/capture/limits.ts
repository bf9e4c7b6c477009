/// What a capture file may ask of the reader. A file beyond a limit is not
/// refused: the record in question is damage, or the rest of it is skipped.
/// docs/limits.md lists them all.

/// Most bytes of one packet. libpcap's MAXIMUM_SNAPLEN and Wireshark's
/// WTAP_MAX_PACKET_SIZE_STANDARD: a larger length field is taken for damage.
export const MAX_PACKET_BYTES = 262_144;

/// Most bytes of one record or block that are looked at. Of a longer pcapng
/// block (name resolution, secrets, a packet with huge options) the rest is
/// skipped unread.
export const MAX_RECORD_BYTES = 524_288;

/// Most bytes of a pcapng block that are skipped. Wireshark refuses longer
/// blocks too (wiretap/pcapng.c, MAX_BLOCK_SIZE): such a length is damage, and
/// to believe it would throw away the rest of the file.
export const MAX_SKIPPED_BYTES = 16_777_216;

/// Most interfaces in one pcapng section. A packet of a further one is damage.
export const MAX_INTERFACES = 65_536;

/// Most places of damage that are listed; the rest are counted.
export const MAX_DAMAGE_LISTED = 100;

/// Bytes that are held while it is unsure where records go on: where a chain of
/// records begins, the one that takes it far enough, the header after that
/// (`resync.ts`), each as long as a packet with its header can be.
export const RESYNC_WINDOW_BYTES = 3 * (MAX_PACKET_BYTES + 64);
