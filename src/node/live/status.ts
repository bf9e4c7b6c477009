/// How the capture goes, for the status line, the status log and the metrics.

export interface LiveStatus {
  /// RFC 3339, UTC.
  time: string;
  packets: number;
  /// On the wire.
  bytes: number;
  /// Of the last second.
  bitsPerSecond: number;
  flows: number;
  /// Packets lost before they could be analysed: by the operating system as far
  /// as it is known yet (dumpcap tells at its end only), and by the capture tool.
  dropped: { kernel: number; tool: number };
  /// Sessions reported.
  sessions: number;
  /// The devices being captured on now.
  capturing: string[];
  /// Times that a capture ended before it should.
  interruptions: number;
  memoryBytes: number;
}
