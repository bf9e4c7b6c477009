/// How much the decoding may ask for. Every limit that is hit is counted.

/// Deepest stack of VLAN tags, labels and tunnels around a packet. Clouds come
/// to six or seven (QinQ, two labels, VXLAN, a VLAN inside).
export const MAX_LAYERS = 16;

/// What the fragments of unfinished datagrams may take.
export interface FragmentLimits {
  /// Most datagrams at once, and the most bytes that all of them together hold.
  maxDatagrams: number;
  maxBytes: number;
  /// Time of the packets after which the rest does not come any more.
  timeoutUs: number;
  /// For so long after a datagram was whole its fragments are copies of a mirror.
  duplicateUs: number;
  /// Most separate stretches of one datagram: hostile fragments leave holes everywhere.
  maxStretches: number;
}

/// Linux keeps 4 MiB for 30 s (ip_frag.c: ipfrag_high_thresh, IP_FRAG_TIME).
export const DEFAULT_FRAGMENT_LIMITS: FragmentLimits = {
  maxDatagrams: 1024,
  maxBytes: 4_194_304,
  timeoutUs: 30_000_000,
  duplicateUs: 1_000_000,
  maxStretches: 64,
};
