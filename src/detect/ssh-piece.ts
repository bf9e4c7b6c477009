/// What one side of an SSH connection sends at a time, encrypted: one packet, or a segment.

/// Used again for the next one. Those who look at it are given it as a whole: a time that is an argument
/// is an object for each call, which was a tenth of all that a scan allocates.
export class SshPiece {
  fromClient = false;
  wireBytes = 0;
  /// 1, or 0 if it is a segment: it holds an unknown number of packets.
  packets = 0;
  timeUs = 0;
  frame = 0;
}
