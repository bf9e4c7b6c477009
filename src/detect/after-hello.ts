/// What follows the server's greeting where no tunnel does: a log-in that is
/// refused, or the calls of a management connection. Constant state.

import type { RecordProtection } from '../wire/tls-suites.js';
import type { TraceProfile } from './profile.js';
import type { RecordLog } from './record-log.js';
import type { ScriptReading } from './script.js';
import { holds } from './tunnel.js';

/// A record below the shortest block or call: an alert of TLS 1.3, or empty.
const TINY_BYTES = 8;

export class AfterHello {
  /// Calls that were answered.
  calls = 0;
  /// Of the calls that tools begin with, those seen in their order.
  firstCalls = 0;
  /// The last answer was a full record: more of it may follow.
  private more = false;
  private asked = false;

  constructor(
    readonly kind: 'attempt' | 'management',
    readonly frames: readonly number[],
    private readonly profile: TraceProfile,
  ) {}

  /// Takes the next application record; false if this is neither.
  record(fromClient: boolean, length: number, protection: RecordProtection): boolean {
    const longest = protection.plaintextMax(length);
    if (longest < TINY_BYTES) return true;
    if (this.kind === 'attempt') return false;
    const { call, firstCalls } = this.profile.admin;
    if (fromClient) {
      if (this.asked || !holds(protection, length, call)) return false;
      this.asked = true;
      const due = firstCalls.values[this.firstCalls];
      if (due !== undefined && longest >= due && protection.plaintextMin(length) <= due) this.firstCalls++;
      return true;
    }
    if (!this.asked && !this.more) return false;
    if (this.asked) this.calls++;
    this.asked = false;
    this.more = longest >= call.max;
    return true;
  }

  /// Every call so far is one that tools begin with, if there was any.
  get mayBeginAsTools(): boolean {
    return this.firstCalls === this.calls + (this.asked ? 1 : 0) || this.beginsAsTools;
  }

  /// All calls that tools begin with were made.
  get beginsAsTools(): boolean {
    return this.firstCalls === this.profile.admin.firstCalls.values.length;
  }
}

/// What may follow this reading, whose last message is the answer to a log-in
/// of some kind. `answer` is the answer's place in the log.
export function beginAfterHello(
  log: RecordLog,
  { messages }: ScriptReading,
  answer: number,
  protection: RecordProtection,
  profile: TraceProfile,
): AfterHello | null {
  const hello = messages.findIndex(({ name }) => name === 'hello');
  if (hello < 0 || log.fromClient[answer] !== 0) return null;
  const request = answer - 1;
  if (log.fromClient[request] !== 1 || messages.some(({ record }) => record > answer)) return null;
  const frames = [
    ...messages.map(({ record }) => record).filter((record) => record < request),
    request,
    answer,
  ];
  const begin = (kind: AfterHello['kind']) =>
    new AfterHello(
      kind,
      frames.map((record) => log.frame[record]!),
      profile,
    );
  const isLogin = messages.some(({ name }) => name === 'log-in');
  if (isLogin) return holds(protection, log.length[answer]!, profile.refusal) ? begin('attempt') : null;
  const isAdmin =
    holds(protection, log.length[request]!, profile.admin.request) &&
    holds(protection, log.length[answer]!, profile.admin.answer);
  return isAdmin ? begin('management') : null;
}
