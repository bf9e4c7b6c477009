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

/// Turns kept of a flow's beginning: a proxy's, the handshake's and a log-in's.
export const MAX_OPENING_TURNS = 20;

/// Follows the turns of a flow: keeps the first ones and the present one.
export class TurnTracker {
  /// Turns begun so far.
  count = 0;
  current: Turn = newTurn();
  /// The first turns; filled again for the next flow.
  private readonly opening: Turn[] = [];
  private readonly later = newTurn();

  reset(): void {
    this.count = 0;
  }

  /// The first turns, the present one among them; borrowed.
  first(): readonly Turn[] {
    return this.opening.slice(0, this.count);
  }

  /// Counts payload in stream order.
  payload(fromClient: boolean, bytes: number, timeUs: number, frame: number): void {
    if (this.count === 0 || this.current.fromClient !== fromClient) this.begin(fromClient, timeUs, frame);
    const turn = this.current;
    turn.bytes += bytes;
    turn.endUs = timeUs;
  }

  private begin(fromClient: boolean, timeUs: number, frame: number): void {
    const i = this.count++;
    if (i >= MAX_OPENING_TURNS) this.current = this.later;
    else {
      this.opening[i] ??= newTurn();
      this.current = this.opening[i]!;
    }
    const turn = this.current;
    turn.fromClient = fromClient;
    turn.bytes = 0;
    turn.startUs = timeUs;
    turn.frame = frame;
  }
}

function newTurn(): Turn {
  return { fromClient: true, bytes: 0, startUs: 0, endUs: 0, frame: 0 };
}
