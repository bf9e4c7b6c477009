/// How much the flow layer may keep. Every limit that is hit is counted.

/// Most bytes held back per direction while an earlier segment is missing.
/// Linux and Windows receive buffers start at 64 KiB; what is missing for
/// longer than that was lost by the recording.
export const MAX_HELD_BYTES = 131_072;

/// Most segments held back per direction.
export const MAX_HELD_SEGMENTS = 128;

/// Most bytes of a handshake record that are kept for reading: a TLS 1.2
/// server's flight with a long certificate chain fits.
export const MAX_HANDSHAKE_BYTES = 16_384;

/// What a followed flow takes (measured): a TCP flow with the analysis
/// of its log-in, a UDP or ICMP flow with its chains. What some flows take besides they weigh
/// when it is made (`flow-weight.ts`).
export const TCP_FLOW_BYTES = 5_000;
export const DATAGRAM_FLOW_BYTES = 15_000;

/// What a segment that is held back takes besides its bytes (measured).
export const HELD_SEGMENT_BYTES = 300;

/// Most UDP and ICMP flows followed at once, or fewer if some take more than others.
export const MAX_FOLLOWED_DATAGRAM_FLOWS = 600;

/// Most bytes that all followed flows together keep, held back or of handshakes.
export const MAX_KEPT_BYTES = 8_388_608;

/// Most TCP flows followed at once, or fewer if some take more than others. Only flows that begin
/// like TLS and still fit a profile are followed; the longest silent one is given up first.
export const MAX_FOLLOWED_FLOWS = 3_000;

/// Within this time the same datagram again is a copy that a mirror made on its
/// way through a switch or router; queues of those are far shorter.
export const COPY_US = 100_000;
