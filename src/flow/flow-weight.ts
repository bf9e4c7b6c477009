/// What flows that are followed take besides the payload that is kept of them: objects whose
/// size is known (measured), but of which some flows need far more than others. What a flow
/// needs it gets; for it the longest silent ones are given up (`followed-flows.ts`).

/// Bytes that all flows of one kind take together.
export class TotalWeight {
  bytes = 0;
}

/// Bytes that one of them takes.
export class FlowWeight {
  private bytes = 0;

  constructor(private readonly total: TotalWeight) {}

  add(bytes: number): void {
    this.bytes += bytes;
    this.total.bytes += bytes;
  }

  /// The flow is followed no more.
  reset(): void {
    this.total.bytes -= this.bytes;
    this.bytes = 0;
  }
}
