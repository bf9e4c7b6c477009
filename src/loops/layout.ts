/// What the loops of `assembly/` and the rest must agree on, above all where things stand in their memory. Read by both
/// compilers, TypeScript's and AssemblyScript's: constants only.

/// Most frames in one batch. A chunk of small packets is delivered as several.
export const BATCH_FRAMES = 2048;

/// What lies between columns: a line of the cache. Without it all entries of a frame or packet would have addresses
/// with the same last 12 bits, and of such lines a processor's first cache keeps no more than 8 or 12.
export const COLUMN_GAP_BYTES = 64;

/// Columns of a batch of frames, in bytes from its beginning.
export const FRAME_TIME = 0;
export const FRAME_OFFSET = FRAME_TIME + 8 * BATCH_FRAMES + COLUMN_GAP_BYTES;
const FRAME_COLUMN_BYTES = 4 * BATCH_FRAMES + COLUMN_GAP_BYTES;
export const FRAME_CAPTURED = FRAME_OFFSET + FRAME_COLUMN_BYTES;
export const FRAME_ORIGINAL = FRAME_CAPTURED + FRAME_COLUMN_BYTES;
export const FRAME_LINK_TYPE = FRAME_ORIGINAL + FRAME_COLUMN_BYTES;
export const FRAME_NUMBER = FRAME_LINK_TYPE + FRAME_COLUMN_BYTES;
export const FRAME_BATCH_BYTES = FRAME_NUMBER + FRAME_COLUMN_BYTES;

/// Columns of a batch of packets, in order; in front of them the times, each as long as two words.
export const PACKET_TIME_COLUMNS = 2;
export const PACKET_FLAGS = 0;
export const PACKET_KEY = 1;
export const PACKET_TENANT = 2;
export const PACKET_PORTS = 3;
export const PACKET_ADDRESS_A = 4;
export const PACKET_ADDRESS_B = 5;
export const PACKET_HASH = 6;
export const PACKET_SEQUENCE = 7;
export const PACKET_ACKNOWLEDGEMENT = 8;
/// Of IPv6 the second to fourth word of each address.
export const PACKET_MORE_A = 9;
export const PACKET_MORE_B = 12;
/// Of a payload that is not empty: where it begins among the bytes of the frames, how much of it is there, how much there was.
export const PACKET_PAYLOAD_AT = 15;
export const PACKET_PAYLOAD_CAPTURED = 16;
export const PACKET_PAYLOAD_LENGTH = 17;
export const PACKET_COLUMNS = 18;

/// What tells flows apart besides addresses, ports and the network.
export const KEY_PROTOCOL_MASK = 0xff;
export const KEY_IPV6 = 1 << 8;
export const KEY_MASK = KEY_PROTOCOL_MASK | KEY_IPV6;

/// Bits of a packet's flags above those of the TCP header. Of a flow's two ends A is the one
/// with the smaller address (then port).
export const FROM_B = 1 << 8;
export const HAS_PAYLOAD = 1 << 9;
/// No packet yet, but a fragment of one: nothing else of it is known.
export const IS_FRAGMENT = 1 << 10;
/// The frame holds none that can be looked up.
export const NO_PACKET = 1 << 11;
/// One of the kind that most are, see `decodeCommon`.
export const IS_COMMON = 1 << 12;

export const TCP_FIN = 0x01;
export const TCP_SYN = 0x02;
export const TCP_RST = 0x04;
export const TCP_ACK = 0x10;
export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;
export const PROTOCOL_ICMPV6 = 58;

/// An entry of the flow table, see `flow/flow-table.ts`.
export const ENTRY_WORDS = 16;
export const WORD_PORTS = 0;
export const WORD_KIND = 1;
export const WORD_PACKETS = 2;
export const WORD_SLOT = 3;
export const WORD_LAST_SECOND = 4;
export const WORD_SEQUENCE = 5;
export const WORD_FIRST_SECOND = 7;
export const WORD_ADDRESS_A = 8;
export const WORD_ADDRESS_B = 12;

/// Bits of the KIND word, beside those of the packets' key. Networks whose addresses may
/// overlap (VNIs and the like) are numbered as they are met: 10 bits, 0 for none.
/// Beyond these all share the last number.
export const TENANT_SHIFT = 21;
export const MAX_TENANTS = 0x3ff;
export const FLOW_KEY_MASK = KEY_MASK | (MAX_TENANTS << TENANT_SHIFT);
/// Which end sent the SYN, if one did.
export const KIND_SYN_FROM_A = 1 << 9;
export const KIND_SYN_FROM_B = 1 << 10;
/// Word 5 (A) or 6 (B) holds a sequence number.
export const KIND_SEQUENCE_A = 1 << 11;
export const KIND_SEQUENCE_B = 1 << 12;
export const KIND_FIN_A = 1 << 13;
export const KIND_FIN_B = 1 << 14;
/// Reset, or finished by both ends.
export const KIND_CLOSED = 1 << 15;
const STATE_SHIFT = 16;
export const STATE_MASK = 3 << STATE_SHIFT;
/// No payload seen yet.
export const STATE_NEW = 0 << STATE_SHIFT;
/// Somebody keeps more about this flow under its slot number.
export const STATE_FOLLOWED = 1 << STATE_SHIFT;
/// Cannot be SoftEther any more: only counted.
export const STATE_DISMISSED = 2 << STATE_SHIFT;
/// The client's hello rules SoftEther out; what the server answers may still be worth a look.
export const STATE_ANSWER_DUE = 3 << STATE_SHIFT;
/// A packet of this end was seen.
export const KIND_SEEN_A = 1 << 18;
export const KIND_SEEN_B = 1 << 19;
/// Somebody sent payload over TCP.
export const KIND_PAYLOAD = 1 << 20;
export const KIND_FREE = -1;

/// What a flow table knows besides its entries: words of its block.
/// When the clock moves on, in microseconds: most packets come before that. A number of 8 bytes, in two words.
export const TABLE_CLOCK_MOVES_US = 0;
/// Second of the latest packet, modulo 2^32.
export const TABLE_CLOCK = 2;
/// The flow of the packet to which there is more, and whether it goes from B to A.
export const TABLE_ENTRY = 3;
export const TABLE_FROM_B = 4;
/// Addresses of the entries and of the index, whose length is the mask + 1.
export const TABLE_WORDS = 5;
export const TABLE_INDEX = 6;
export const TABLE_MASK = 7;
/// What was read ahead: kept, or the compiler would leave the reading out.
export const TABLE_FETCHED = 8;
export const TABLE_SHORTEST_IDLE = 9;
export const TABLE_FOLLOWED_IDLE = 10;
export const TABLE_OTHER_IDLE = 11;
export const TABLE_CLOSED_IDLE = 12;
/// Flows kept, entries ever used, the first free one of these, the next to look at for expiry.
export const TABLE_USED = 13;
export const TABLE_HIGH_WATER = 14;
export const TABLE_FREE_ENTRY = 15;
export const TABLE_SWEEP_AT = 16;
export const TABLE_CAPACITY = 17;
export const TABLE_MAX_FLOWS = 18;
export const TABLE_SEED = 19;
export const TABLE_TCP_FLOWS = 20;
export const TABLE_UDP_FLOWS = 21;
export const TABLE_ICMP_FLOWS = 22;
export const TABLE_MIDSTREAM_FLOWS = 23;
export const TABLE_ONE_SIDED_FLOWS = 24;
export const TABLE_EVICTED_FLOWS = 25;
export const TABLE_SHARE = 26;
export const TABLE_SHARES = 27;
/// What openings are looked at for (`assembly/openings.ts`): a protocol of ALPN that is never offered,
/// its length in front, as a word, or 0 if they are not looked at; how many ends of names there are.
export const TABLE_NEVER_OFFERED = 28;
export const TABLE_ENDINGS_COUNT = 29;
/// Entries of the packets that are looked for at a time, or -1.
export const TABLE_GUESSES = 32;
/// Packets whose flows are looked for at a time (a power of 2): each touches two pages of memory, and
/// more pages than this the processor does not find again without looking them up (measured).
export const GUESSED_PACKETS = 256;
/// Ends of names: of each the last 8 bytes and a mask of those that count, as numbers of 8 bytes.
export const TABLE_ENDINGS = TABLE_GUESSES + GUESSED_PACKETS;
export const ENDING_WORDS = 4;
export const MAX_ENDINGS = 32;
export const TABLE_BLOCK_WORDS = TABLE_ENDINGS + MAX_ENDINGS * ENDING_WORDS;

/// What `readRecords` and its caller tell each other, in words.
export const RECORDS_COUNT = 0;
export const RECORDS_LONGEST = 1;
export const RECORDS_PREVIOUS_AT = 2;
export const RECORDS_LAST_SECOND = 3;

/// The same for `countFrames`, in numbers of 8 bytes.
export const COUNTS_PACKETS = 0;
export const COUNTS_BYTES = 1;
export const COUNTS_LAST_US = 2;

/// More than a second back, or more than an hour ahead, between neighbouring packets.
export const CLOCK_BACK_US = 1_000_000;
export const CLOCK_FORWARD_US = 3_600_000_000;

/// Neighbouring packets further apart than this are looked at twice: a clock may
/// be set, but bytes that are no header say anything.
export const DAY_SECONDS = 86_400;

export const LINKTYPE_ETHERNET = 1;
/// Link type of an entry that takes a frame number but holds no packet
/// (Wireshark counts, for example, pcapng custom blocks).
export const LINKTYPE_NO_PACKET = -1;
