/// Several engines may look at one capture, each at a share of its flows: told by the
/// upper bits of a flow's hash, in `assembly/table.ts`.

/// One of several equal shares of all flows.
export interface FlowShare {
  /// From 0.
  index: number;
  of: number;
}

export const ALL_FLOWS: FlowShare = { index: 0, of: 1 };
