/// Link types by their number in capture files (tcpdump.org/linktypes).
export const LINKTYPE = {
  NULL: 0,
  ETHERNET: 1,
  /// DLT_RAW as some BSDs number it; seen in files although LINKTYPE_RAW exists.
  RAW_BSD: 12,
  RAW_OPENBSD: 14,
  RAW: 101,
  LOOP: 108,
  LINUX_SLL: 113,
  IPV4: 228,
  IPV6: 229,
  LINUX_SLL2: 276,
} as const;
