/// Turns: maximal runs of payload in one direction of a TCP flow.

export interface Turn {
  /// True if the client sent it.
  fromClient: boolean;
  /// Payload bytes, retransmissions left out.
  bytes: number;
  startUs: number;
  endUs: number;
  /// Number of the frame that began it.
  frame: number;
}

/// Follows the turns of a flow with constant state: the present one is open,
/// the one before it has just ended.
export class TurnTracker {
  /// Turns begun so far.
  count = 0;
  readonly current: Turn = { fromClient: true, bytes: 0, startUs: 0, endUs: 0, frame: 0 };

  reset(): void {
    this.count = 0;
  }

  /// Counts payload in stream order.
  payload(fromClient: boolean, bytes: number, timeUs: number, frame: number): void {
    const turn = this.current;
    if (this.count === 0 || turn.fromClient !== fromClient) {
      this.count++;
      turn.fromClient = fromClient;
      turn.bytes = 0;
      turn.startUs = timeUs;
      turn.frame = frame;
    }
    turn.bytes += bytes;
    turn.endUs = timeUs;
  }
}
