/// What a capture file may ask of the reader. A file beyond a limit is not
/// refused: the record in question is damage, or the rest of it is skipped.

/// Most bytes of one packet. libpcap's MAXIMUM_SNAPLEN and Wireshark's
/// WTAP_MAX_PACKET_SIZE_STANDARD: a larger length field is taken for damage.
export const MAX_PACKET_BYTES = 262_144;

/// Most bytes of one record or block that are looked at. Of a longer pcapng
/// block (name resolution, secrets, a packet with huge options) the rest is
/// skipped unread.
export const MAX_RECORD_BYTES = 524_288;

/// Most interfaces in one pcapng section. A packet of a further one is damage.
export const MAX_INTERFACES = 65_536;
