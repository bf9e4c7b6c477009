/// What a profile can say about a session carried inside SSH port forwarding.
/// Message sizes are those of the TLS profile; what is here turns them into
/// volumes on an SSH connection.

import type { Limit, Range } from './profile.js';
import type { VerdictRules } from './verdict.js';

export type SshClause =
  | 'start-script'
  | 'tolerant-script'
  | 'channel-open'
  | 'first-records'
  | 'additional-connection'
  | 'keep-alive'
  | 'hub-poll'
  | 'poll-rhythm'
  | 'poll-kinds'
  | 'poll-clock'
  | 'client-software';

/// How many bytes of a TLS stream one record takes for a plaintext of n bytes:
/// `fixed + n`, or with `block` `fixed + block * ceil((n + padded) / block)`.
export interface RecordForm {
  name: string;
  fixed: number;
  block: number;
  padded: number;
  source: string;
}

/// An SSH program that SoftEther clients are known to have built in.
export interface SshClientSoftware {
  /// What its identification string begins with, `SSH-2.0-` included.
  prefix: string;
  name: string;
  source: string;
}

export interface SshSessionProfile {
  id: string;
  title: string;
  status: 'stable' | 'experimental';
  references: readonly string[];
  falsePositives: readonly string[];
  /// Ways in which the data inside can be protected; the last one may be none.
  recordForms: readonly RecordForm[];
  /// A message is made of so many SSH packets at most: the program that
  /// forwards reads what TCP gives it. For the last message of the script, which
  /// the first records may follow, there is one more.
  maxPackets: Limit;
  /// Added to each packet by compression, which cannot make it smaller.
  compressionBytes: Limit;
  /// The client's Finished message may share its turn with the signature, a
  /// server's tickets with its hello.
  finishedBytes: Limit;
  ticketBytes: Limit;
  maxTickets: Limit;
  /// SSH packets that carry less than this many bytes are no record of TLS.
  leastRecordBytes: Limit;
  /// Silence that ends a turn though the same side goes on.
  turnPauseUs: Limit;
  /// Silence after which the welcome is complete though the same side goes on.
  welcomePauseUs: Limit;
  /// Most time between two messages of the script.
  maxStepUs: Limit;
  tolerant: {
    /// Pieces of at least so many bytes are joined with what follows at once.
    pieceBytes: Limit;
    joinUs: Limit;
    maxStepUs: Limit;
  };
  /// First byte of a further connection's signature, counted from the welcome
  /// or from the one before.
  attachDelayUs: Range;
  /// A new channel: payload bytes of the message that asks for it and of the
  /// one that confirms (with compression at least `compressionBytes`), most time
  /// between them, and from there to the signature.
  channel: {
    openPayload: Range;
    confirmationPayload: Limit;
    compressionBytes: Limit;
    confirmUs: Limit;
    signatureUs: Limit;
  };
  /// Smallest share of the questions of a poll's size that are answered so.
  minAnsweredShare: Limit;
  /// Polls: time from one to the next as its program sets it, and fewest of
  /// them that show its clock without any log-in. Fewest with a log-in stand in
  /// the TLS profile.
  pollClock: { periodUs: Range; minPeriods: Limit };
  /// Smallest share of the answered polls of a kind that come in rhythm.
  minRhythmShare: Limit;
  clientSoftware: readonly SshClientSoftware[];
  verdict: VerdictRules<SshClause>;
}
