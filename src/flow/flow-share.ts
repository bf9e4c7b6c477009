/// Several engines may look at one capture, each at a share of its flows.

/// One of several equal shares of all flows.
export interface FlowShare {
  /// From 0.
  index: number;
  of: number;
}

export const ALL_FLOWS: FlowShare = { index: 0, of: 1 };

/// By the upper bits of a flow's hash: the table uses the lower ones.
export function shareOf(hash: number, shares: number): number {
  return ((hash >>> 16) * shares) >>> 16;
}
