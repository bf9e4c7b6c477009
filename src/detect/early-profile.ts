/// What a profile of the first SoftEther can say: little is known of it, so the
/// numbers bound what any such program must do.

import type { Limit } from './profile.js';

/// A virtual LAN card of 2004, connected to a virtual hub over one TLS connection.
export interface EarlyProfile {
  id: string;
  title: string;
  status: 'experimental';
  product: string;
  references: readonly string[];
  falsePositives: readonly string[];
  /// The report says this beside every finding.
  caveat: string;
  /// Hellos of the TLS library of the time: no extensions, these suites alone.
  hello: {
    newestVersion: Limit;
    suites: { values: readonly number[]; source: string };
    /// The client's random begins with its clock: most that it differs from the packet's time.
    clockUs: Limit;
  };
  /// The turns of the log-in.
  login: { turns: Limit; maxTurnBytes: Limit; maxAnswerUs: Limit };
  /// What follows it.
  tunnel: {
    minLifeUs: Limit;
    /// From each side.
    minRecords: Limit;
    /// Records that come when both sides have been silent for `quietUs`, from each side.
    minUnasked: Limit;
    quietUs: Limit;
    /// Longest silence of a side.
    maxSilenceUs: Limit;
    /// Records up to `smallMax` bytes of plaintext that hold one Ethernet frame of a usual size.
    frameSizes: { values: readonly number[]; source: string };
    smallMax: Limit;
    minSmall: Limit;
    minFrameShare: Limit;
    minDifferent: Limit;
  };
}
