/// The start of a SoftEther connection: who says what, in which order, how long.
///
///     client                        server
///     [probe]                                     first connection, direct, IPv4
///                                   [probe answer]
///     signature
///                                   hello
///     [noop ...]                    [noop answer ...]
///     log-in                                      or: attach
///                                   welcome           attach answer
///
/// The client waits for each answer, and each message is one TLS record, so
/// the records of the two directions alternate one by one.

import type { RecordProtection } from '../wire/tls-suites.js';
import type { Range, TlsSessionProfile } from './profile.js';
import type { RecordLog } from './record-log.js';
import { holds } from './tunnel.js';

/// One message of the script: its record in the log.
export interface ScriptMessage {
  name:
    | 'probe'
    | 'probe answer'
    | 'signature'
    | 'hello'
    | 'noop'
    | 'noop answer'
    | 'log-in'
    | 'welcome'
    | 'attach'
    | 'attach answer';
  record: number;
}

export interface ScriptReading {
  /// `open`: fits so far. `failed`: cannot become the script. `primary`,
  /// `additional`: complete, of a session's first or a further connection.
  /// Of a failed one `messages` are those that fitted, of the way of reading that went furthest.
  outcome: 'open' | 'failed' | 'primary' | 'additional';
  messages: ScriptMessage[];
}

/// Reads the log as the start of a connection. `protection` gives plaintext
/// lengths; records of the TLS 1.3 handshake, which look like data, are told
/// apart by their place.
export function readScript(
  log: RecordLog,
  protection: RecordProtection,
  profile: TlsSessionProfile,
): ScriptReading {
  let best: ScriptReading = { outcome: 'failed', messages: [] };
  for (const { reading } of readings(log, protection, profile)) {
    if (reading.outcome === 'primary' || reading.outcome === 'additional') return reading;
    if (best.outcome === 'failed' && isFurther(reading, best)) best = reading;
  }
  return best;
}

/// A reading, and the records that it was read from: its messages are the first of these.
export interface ReadRecords {
  reading: ScriptReading;
  records: number[];
}

/// The reading that got furthest, for an account of why none fits: the record
/// after its messages is what failed, or is still to come. Null if not even the
/// handshake is one.
export function furthestReading(
  log: RecordLog,
  protection: RecordProtection,
  profile: TlsSessionProfile,
): ReadRecords | null {
  let best: ReadRecords | null = null;
  for (const read of readings(log, protection, profile)) {
    if (best === null || read.reading.messages.length > best.reading.messages.length) best = read;
  }
  return best;
}

/// All ways to read the log; none if the client's part of the handshake is not one.
function* readings(
  log: RecordLog,
  protection: RecordProtection,
  profile: TlsSessionProfile,
): Generator<ReadRecords> {
  const data = afterHandshake(log, protection);
  if (data === 'failed') return;
  // Tickets come from the server unasked, before its first answer; how many is
  // up to its TLS library. All of one server are of one length.
  for (let tickets = countTickets(log, data, profile.script); tickets >= 0; tickets--) {
    const records = withoutTickets(log, data, tickets);
    for (const withProbe of [true, false]) {
      yield { reading: readMessages(log, records, protection, profile, withProbe), records };
    }
  }
}

/// One that is open goes further than one that has failed.
function isFurther(reading: ScriptReading, best: ScriptReading): boolean {
  return reading.outcome !== 'failed' || reading.messages.length > best.messages.length;
}

/// The plaintext bytes that a message of the script may have.
export function rangeOf(name: ScriptMessage['name'], { script }: TlsSessionProfile): Range {
  const ranges: Record<ScriptMessage['name'], Range> = {
    probe: script.probe,
    'probe answer': script.probeAnswer,
    signature: script.signature,
    hello: script.hello,
    noop: script.noop,
    'noop answer': script.noopAnswer,
    'log-in': script.login,
    welcome: script.welcome,
    attach: script.attach,
    'attach answer': script.attachAnswer,
  };
  return ranges[name];
}

/// Tells cheaply when a log is worth reading: before the client's first message
/// nothing is decided, and with that most applications are out.
export class ScriptGate {
  private clientRecords = 0;
  private finished = false;
  private opened = false;

  /// Takes each record of the log in turn. `wait`: reading it would say `open`;
  /// `failed`: it would say so.
  record(
    fromClient: boolean,
    length: number,
    protection: RecordProtection,
    { probe, signature }: TlsSessionProfile['script'],
  ): 'wait' | 'read' | 'failed' {
    if (this.opened) return 'read';
    if (!fromClient) return 'wait';
    if (protection.finishedRecord !== 0 && !this.finished) {
      this.finished = length === protection.finishedRecord;
      return this.finished || ++this.clientRecords <= MAX_CLIENT_HANDSHAKE_RECORDS ? 'wait' : 'failed';
    }
    if (protection.emptyRecord !== 0 && length === protection.emptyRecord) return 'wait';
    this.opened = true;
    return holds(protection, length, probe) || holds(protection, length, signature) ? 'read' : 'failed';
  }
}

/// The client may be asked for a certificate: so many records before its Finished.
const MAX_CLIENT_HANDSHAKE_RECORDS = 2;

/// Log positions of the records that follow the handshake, or `failed` if the
/// client's part of it does not look like one.
function afterHandshake(log: RecordLog, protection: RecordProtection): number[] | 'failed' {
  const data: number[] = [];
  let finished = protection.finishedRecord === 0;
  let clientRecords = 0;
  for (let i = 0; i < log.count; i++) {
    if (!finished) {
      if (log.fromClient[i] === 0) continue;
      finished = log.length[i] === protection.finishedRecord;
      if (!finished && ++clientRecords > MAX_CLIENT_HANDSHAKE_RECORDS) return 'failed';
      continue;
    }
    // TLS 1.0 with a block cipher sends an empty record before each one.
    if (protection.emptyRecord !== 0 && log.length[i] === protection.emptyRecord) continue;
    data.push(i);
  }
  return data;
}

function countTickets(
  log: RecordLog,
  data: readonly number[],
  { maxTickets, maxTicketBytes }: TlsSessionProfile['script'],
): number {
  const fromServer = data.filter((i) => log.fromClient[i] === 0);
  let count = 0;
  while (
    count < maxTickets.value &&
    count < fromServer.length &&
    log.length[fromServer[0]!]! <= maxTicketBytes.value &&
    log.length[fromServer[count]!] === log.length[fromServer[0]!]
  ) {
    count++;
  }
  return count;
}

function withoutTickets(log: RecordLog, data: readonly number[], tickets: number): number[] {
  let left = tickets;
  return data.filter((i) => log.fromClient[i] === 1 || left-- <= 0);
}

/// Reads these entries of the log as the messages in their order; `withProbe`:
/// the first is the question whether the server is SoftEther.
export function readMessages(
  log: RecordLog,
  records: readonly number[],
  protection: RecordProtection,
  profile: TlsSessionProfile,
  withProbe: boolean,
): ScriptReading {
  const { probe, signature } = profile.script;
  return mayBegin(log, records, protection, profile, withProbe ? probe : signature)
    ? readOn(log, records, protection, profile, withProbe)
    : { outcome: 'failed', messages: [] };
}

/// False where the first message shows already that `readOn` would fail: so it is with most logs, and
/// else in most ways to read one, and `readOn` makes a handful of functions.
function mayBegin(
  log: RecordLog,
  records: readonly number[],
  protection: RecordProtection,
  { splitMessages }: TlsSessionProfile,
  range: Range,
): boolean {
  const first = records[0];
  if (first === undefined) return true;
  if (log.fromClient[first] !== 1) return false;
  const second = records[1];
  const maybeSplit = splitMessages && (second === undefined || log.fromClient[second] === 1);
  return maybeSplit || holds(protection, log.length[first]!, range);
}

function readOn(
  log: RecordLog,
  records: readonly number[],
  protection: RecordProtection,
  profile: TlsSessionProfile,
  withProbe: boolean,
): ScriptReading {
  const { script } = profile;
  const messages: ScriptMessage[] = [];
  let next = 0;

  const fits = (record: number, range: Range): boolean => holds(protection, log.length[record]!, range);
  const fitsTogether = (first: number, second: number, range: Range): boolean => {
    const lengths = [log.length[first]!, log.length[second]!];
    const least = lengths.reduce((sum, length) => sum + protection.plaintextMin(length), 0);
    const most = lengths.reduce((sum, length) => sum + protection.plaintextMax(length), 0);
    return most >= range.min && least <= range.max;
  };
  /// Takes the next record as `name` if it comes from that side in time and fits.
  const take = (
    name: ScriptMessage['name'],
    fromClient: boolean,
    range: Range,
  ): 'taken' | 'open' | 'failed' => {
    const record = records[next];
    if (record === undefined) return 'open';
    const second = records[next + 1];
    const isSplit =
      profile.splitMessages && fromClient && second !== undefined && log.fromClient[second] === 1;
    const sender = log.fromClient[record] === 1;
    const before = messages.at(-1);
    const late =
      before !== undefined &&
      !fromClient &&
      log.timeUs[record]! - log.timeUs[before.record]! > script.maxAnswerUs.value;
    if (sender !== fromClient || late) return 'failed';
    const isWhole = isSplit ? fitsTogether(record, second, range) : fits(record, range);
    if (!isWhole) return profile.splitMessages && fromClient && second === undefined ? 'open' : 'failed';
    messages.push({ name, record });
    next += isSplit ? 2 : 1;
    return 'taken';
  };
  const exchange = (
    asked: ScriptMessage['name'],
    question: Range,
    answered: ScriptMessage['name'],
    answer: Range,
  ): 'taken' | 'open' | 'failed' => {
    const first = take(asked, true, question);
    return first === 'taken' ? take(answered, false, answer) : first;
  };
  const ended = (outcome: ScriptReading['outcome']): ScriptReading => ({ outcome, messages });

  if (withProbe) {
    const probed = exchange('probe', script.probe, 'probe answer', script.probeAnswer);
    if (probed !== 'taken') return ended(probed);
  }
  const greeted = exchange('signature', script.signature, 'hello', script.hello);
  if (greeted !== 'taken') return ended(greeted);
  for (;;) {
    const record = records[next];
    if (record === undefined) return ended('open');
    const waitedUs = log.timeUs[record]! - log.timeUs[messages.at(-1)!.record]!;
    if (waitedUs < script.minNoopGapUs.value || !fits(record, script.noop)) break;
    const paused = exchange('noop', script.noop, 'noop answer', script.noopAnswer);
    if (paused !== 'taken') return ended(paused);
  }
  // A split log-in shows only its header at first.
  if (profile.splitMessages || fits(records[next]!, script.login)) {
    const welcomed = exchange('log-in', script.login, 'welcome', script.welcome);
    return ended(welcomed === 'taken' ? 'primary' : welcomed);
  }
  const attached = exchange('attach', script.attach, 'attach answer', script.attachAnswer);
  return ended(attached === 'taken' ? 'additional' : attached);
}
