/// Each clause of the profile as one reads it: what was expected, what was seen.

import type { TracedFlow } from '../flow/flow-trace.js';
import { TLS_APPLICATION_DATA } from '../flow/tls-records.js';
import { PAYLOAD_BYTES, type RecordProtection } from '../wire/tls-suites.js';
import { lengthText, seconds } from './amounts.js';
import type { Held } from './clauses.js';
import type { TlsConnection } from './connection.js';
import type { ClauseAccount, ScriptStep } from './explanation.js';
import type { Verdict } from './findings.js';
import type { SessionGroup } from './grouping.js';
import type { Clause, Range, TlsSessionProfile } from './profile.js';
import { RecordLog } from './record-log.js';
import { furthestReading, rangeOf, type ScriptMessage } from './script.js';
import { holds } from './tunnel.js';
import type { VerdictRule } from './verdict.js';

type MessageName = ScriptMessage['name'];

export function accountOfGroup(group: SessionGroup, held: Held): ClauseAccount[] {
  const { primary } = group;
  const { profile } = primary;
  const byTurns = profile.unit === 'turns';
  const isAdditional = primary.kind === 'additional';
  const script: Clause = byTurns
    ? isAdditional
      ? 'attach-turns'
      : 'start-turns'
    : isAdditional
      ? 'attach-script'
      : 'start-script';
  const shown: Clause[] = [
    script,
    ...(!isAdditional ? (['probe', 'first-records', 'additional-connection'] as const) : []),
    'keep-alive',
    'keep-alive-law',
    ...(profile.clientProduct === null ? [] : (['server-keep-alive'] as const)),
    'siblings',
    'hub-poll',
    ...(primary.kind === 'primary' ? [] : (['repeated-poll', 'one-way-pair'] as const)),
    'poll-rhythm',
    'frame-sizes',
    'plain-blocks',
    'nonce-chain',
    ...(primary.rudp === null ? [] : primary.rudp.keyless ? (['rudp-chain'] as const) : (['rudp'] as const)),
  ];
  const steps = primary.script.messages.map((message) => stepOf(message, primary, profile));
  return shown.map((clause) => {
    const evidence = held.get(clause);
    return {
      clause,
      held: evidence !== undefined,
      expected: expectedText(clause, profile),
      seen:
        clause === script && steps.length > 0
          ? 'all of it, message by message:'
          : (evidence?.detail ?? seenText(clause, group)),
      frames: (evidence?.frames ?? []).map(({ frame }) => frame),
      steps: clause === script ? steps : [],
    };
  });
}

function expectedText(clause: Clause, profile: TlsSessionProfile): string {
  const { firstRecords, keepAlive, hubPoll, frameSizes, plainBlocks, running } = profile;
  switch (clause) {
    case 'start-script':
      return 'the messages of a log-in, each one TLS record alone in its turn, of fitting sizes';
    case 'attach-script':
      return 'the messages of a further connection, each one TLS record alone in its turn, of fitting sizes';
    case 'start-turns':
      return 'the messages of a log-in as volumes of payload before the direction turns, behind what can be a TLS handshake';
    case 'attach-turns':
      return 'the messages of a further connection as volumes of payload before the direction turns';
    case 'probe':
      return `before the log-in a request of ${rangeText(profile.script.probe)} bytes, and an answer that SoftEther servers are known to give`;
    case 'first-records':
      return `right after the welcome (${seconds(firstRecords.withinUs.value)} s and two round trips) one record from each side: client at most ${firstRecords.client.value} bytes, server ${firstRecords.server.value}`;
    case 'additional-connection':
      return 'at least one further connection of the client that attaches to the session';
    case 'keep-alive':
      return `both sides send unasked, ${seconds(keepAlive.gapUs.min)} to ${seconds(keepAlive.gapUs.max)} s after their last record, ${rangeText(keepAlive.plaintext)} bytes of random size: ${keepAlive.minEach.value} from each side that differ by ${keepAlive.minSpread.value} bytes or more`;
    case 'keep-alive-law':
      return `${running.minKeepAlives.value} such keep-alives, and no side silent for longer than ${seconds(keepAlive.gapUs.max)} s`;
    case 'server-keep-alive':
      return `of a client that is not SoftEther's own: ${keepAlive.minFromServer.value} keep-alives from the server, one of them at the least distance of about 4 s`;
    case 'siblings':
      return `${running.minSiblings.value} such connections to the same server port at the same time`;
    case 'one-way-pair':
      return `one connection with records of the client only, and one with records of the server only, ${running.minOneWay.value} at least (half duplex)`;
    case 'hub-poll':
      return `the server asks with exactly ${hubPoll.arp.value} or ${hubPoll.neighbourSolicitation.value} bytes (ARP, neighbour solicitation) and the client gives the fitting reply within ${seconds(hubPoll.withinUs.value)} s`;
    case 'repeated-poll':
      return `${hubPoll.minRepeated.value} such pairs`;
    case 'poll-rhythm':
      return `${hubPoll.minPeriods.value} answered polls that come ${seconds(hubPoll.periodUs.min)} to ${seconds(hubPoll.periodUs.max)} s after the one before`;
    case 'frame-sizes':
      return `of at least ${frameSizes.minRecords.value} records up to ${frameSizes.smallMax.value} bytes, ${Math.round(frameSizes.minShare.value * 100)} % hold one Ethernet frame of a usual size (${frameSizes.sizes.values.join(', ')}), of ${frameSizes.minDifferent.value} different sizes`;
    case 'plain-blocks':
      return `${plainBlocks.minBlocks.value} blocks of the tunnel in clear after the log-in (encryption switched off)`;
    case 'rudp':
      return 'segments of R-UDP, signed with the keys of the opening';
    case 'rudp-chain':
      return 'packets of R-UDP that take their nonce from the packet before (the opening was not captured)';
    case 'nonce-chain':
      return 'a UDP flow beside the connections whose datagrams chain by their nonces (UDP acceleration)';
  }
}

/// What a clause that does not hold found instead.
function seenText(clause: Clause, group: SessionGroup): string {
  const { primary } = group;
  const connections = [primary, ...group.additional];
  const total = (amount: (connection: TlsConnection) => number) =>
    connections.reduce((sum, connection) => sum + amount(connection), 0);
  const { client, server } = primary.tunnel;
  switch (clause) {
    case 'start-script':
    case 'attach-script':
    case 'start-turns':
    case 'attach-turns':
      return primary.kind === 'running' ? 'the start of the connection was not captured' : 'not that';
    case 'probe':
      return primary.script.messages[0]?.name === 'probe'
        ? 'a first request of that size, but another answer'
        : 'no such request';
    case 'first-records': {
      const text = (first: typeof client.first) =>
        first === null
          ? 'nothing'
          : `${lengthText(primary.protection, first.length)} bytes after ${seconds(first.afterUs)} s`;
      return `client ${text(client.first)}, server ${text(server.first)}`;
    }
    case 'additional-connection':
      return group.refused.length > 0 ? `none, and ${group.refused.length} turned away` : 'none';
    case 'keep-alive':
    case 'server-keep-alive':
    case 'keep-alive-law': {
      const sides = (side: 'client' | 'server') =>
        `${side} ${total(({ tunnel }) => tunnel[side].keepAlives.count)} (and ${total(({ tunnel }) => tunnel[side].unexplained)} records of such a size that came too soon)`;
      const longest = Math.max(
        ...connections.flatMap(({ tunnel }) => [tunnel.client.longestGapUs, tunnel.server.longestGapUs]),
      );
      return `${sides('client')}, ${sides('server')}; longest silence of a side ${seconds(longest)} s`;
    }
    case 'siblings':
      return `${connections.length}`;
    case 'one-way-pair':
      return 'no two connections that each carry one direction only';
    case 'hub-poll':
    case 'repeated-poll':
      return `${total(({ tunnel }) => tunnel.polls.answered.count)} such pairs`;
    case 'poll-rhythm':
      return `${total(({ tunnel }) => tunnel.polls.answered.count)} answered polls, ${total(({ tunnel }) => tunnel.polls.periods.count)} of them in that rhythm`;
    case 'frame-sizes':
      return `${total(({ tunnel }) => tunnel.frameSized.count)} of ${total(({ tunnel }) => tunnel.smallRecords)} small records have such a size`;
    case 'plain-blocks':
      return primary.plain === null ? 'the connection stays in TLS' : 'something else follows TLS';
    case 'rudp':
    case 'rudp-chain':
    case 'nonce-chain':
      return 'none';
  }
}

function stepOf(
  { name, record }: ScriptMessage,
  connection: TlsConnection,
  profile: TlsSessionProfile,
): ScriptStep {
  const { log } = connection;
  const protection = profile.unit === 'turns' ? PAYLOAD_BYTES : connection.protection;
  return {
    name,
    expected: messageText(name, profile),
    seen: `${lengthText(protection, log.length[record]!)} bytes from the ${log.fromClient[record] === 1 ? 'client' : 'server'}`,
    held: true,
    frame: log.frame[record]!,
  };
}

/// Where the log-in failed, of a flow that was let go.
export interface ScriptAccount {
  clause: ClauseAccount;
  summary: string;
  /// What each application record is, by its place among them.
  roles: Map<number, string>;
  /// Place of the first application record after the handshake.
  firstData: number;
}

export function accountOfScript(flow: TracedFlow, profile: TlsSessionProfile): ScriptAccount {
  const log = new RecordLog();
  const upTo = flow.refusedAfter ?? flow.records.length;
  for (const { type, fromClient, length, timeUs, frame } of flow.records.slice(0, upTo)) {
    if (type === TLS_APPLICATION_DATA && !log.full) log.add(fromClient, length, timeUs, frame);
  }
  const account = (summary: string, steps: ScriptStep[], seen: string): ScriptAccount => ({
    clause: {
      clause: 'start-script',
      held: false,
      expected: expectedText('start-script', profile),
      seen,
      frames: steps.flatMap(({ frame }) => frame ?? []),
      steps,
    },
    summary,
    roles: new Map(),
    firstData: 0,
  });
  const furthest = furthestReading(log, flow.protection, profile);
  if (furthest === null) {
    const sentence = 'the client sends records in the place of its Finished message that cannot be one';
    return account(`Not the log-in of SoftEther: ${sentence}.`, [], sentence);
  }
  const { reading, records } = furthest;
  const steps = reading.messages.map(
    ({ name, record }): ScriptStep => ({
      name,
      expected: messageText(name, profile),
      seen: seenRecord(log, record, flow.protection),
      held: true,
      frame: log.frame[record]!,
    }),
  );
  const last = reading.messages.at(-1);
  const next = followersOf(last?.name);
  const names = next.join(' or ');
  const expected = next.map((name) => `${name} ${messageText(name, profile)}`).join(', or ');
  const failing = records[reading.messages.length];
  let summary: string;
  if (failing === undefined) {
    summary =
      log.count === 0
        ? 'No application data follows the TLS handshake, so there is nothing to compare with a log-in.'
        : `The flow ends before the log-in is through: the ${names} never came.`;
    steps.push({ name: names, expected, seen: 'nothing', held: false, frame: null });
  } else {
    const { reason, isSize } = failureOf(log, failing, last, next, flow.protection, profile);
    const seen = seenRecord(log, failing, flow.protection);
    const hint =
      last?.name === 'log-in'
        ? ' Everything before fits: a log-in that the server refuses, or the console of an administrator, looks like this.'
        : '';
    summary = `Not the log-in of a session: it fails at message ${steps.length + 1}, the ${names}: ${reason}.${hint}`;
    steps.push({
      name: names,
      expected,
      seen: isSize ? seen : `${seen}: ${reason}`,
      held: false,
      frame: log.frame[failing]!,
    });
  }
  const result = account(summary, steps, fittingText(reading.messages.length));
  for (const { name, record } of reading.messages) result.roles.set(record, name);
  if (failing !== undefined) result.roles.set(failing, `no ${names}`);
  result.firstData = records[0] ?? log.count;
  return result;
}

function fittingText(messages: number): string {
  if (messages === 0) return 'not even the first message fits:';
  return messages === 1
    ? 'one message fits, the next does not:'
    : `${messages} messages fit, the next does not:`;
}

function failureOf(
  log: RecordLog,
  record: number,
  before: ScriptMessage | undefined,
  next: readonly MessageName[],
  protection: RecordProtection,
  profile: TlsSessionProfile,
): { reason: string; isSize: boolean } {
  const fromClient = log.fromClient[record] === 1;
  const expectsClient = isFromClient(next[0]!);
  if (fromClient !== expectsClient) {
    const [due, came] = expectsClient ? ['client', 'server'] : ['server', 'client'];
    return { reason: `it was the ${due}'s turn, but the ${came} sent another record`, isSize: false };
  }
  const length = log.length[record]!;
  if (next.some((name) => holds(protection, length, rangeOf(name, profile)))) {
    const waitedUs = before === undefined ? 0 : log.timeUs[record]! - log.timeUs[before.record]!;
    const reason = `the size fits, but not the time, ${seconds(waitedUs)} s after the message before`;
    return { reason, isSize: false };
  }
  const ranges = next.map((name) => rangeText(rangeOf(name, profile))).join(' or ');
  return {
    reason: `${lengthText(protection, length)} bytes came where ${ranges} were expected`,
    isSize: true,
  };
}

function followersOf(name: MessageName | undefined): MessageName[] {
  switch (name) {
    case undefined:
      return ['probe', 'signature'];
    case 'probe':
      return ['probe answer'];
    case 'probe answer':
      return ['signature'];
    case 'signature':
      return ['hello'];
    case 'hello':
    case 'noop answer':
      return ['log-in', 'attach', 'noop'];
    case 'noop':
      return ['noop answer'];
    case 'log-in':
      return ['welcome'];
    case 'welcome':
    case 'attach':
    case 'attach answer':
      return ['attach answer'];
  }
}

function isFromClient(name: MessageName): boolean {
  return ['probe', 'signature', 'noop', 'log-in', 'attach'].includes(name);
}

function messageText(name: MessageName, profile: TlsSessionProfile): string {
  return `${rangeText(rangeOf(name, profile))} bytes from the ${isFromClient(name) ? 'client' : 'server'}`;
}

function seenRecord(log: RecordLog, record: number, protection: RecordProtection): string {
  const side = log.fromClient[record] === 1 ? 'client' : 'server';
  return `${lengthText(protection, log.length[record]!)} bytes from the ${side}`;
}

/// The ways from here to the next better verdict.
export function raiseText(verdict: Verdict | null, held: Held, profile: TlsSessionProfile): string {
  if (verdict === 'confirmed') return 'Nothing is missing: this is the highest verdict.';
  const aim = verdict === null ? 'suspected' : verdict === 'suspected' ? 'likely' : 'confirmed';
  const ways = profile.verdict[aim]
    .filter((rule) => isPossible(rule, held))
    .map((rule) => missingText(rule, held))
    .filter((way, i, all) => way !== '' && all.indexOf(way) === i);
  return ways.length === 0
    ? `No rule of the profile leads from here to ${aim}.`
    : `It would be ${aim} with ${ways.join('; or with ')}.`;
}

/// What begins a connection, or how it travels, does not change any more.
function isPossible({ all }: VerdictRule<Clause>, held: Held): boolean {
  return all.every(
    (clause) =>
      held.has(clause) ||
      !['start-script', 'start-turns', 'attach-script', 'attach-turns', 'probe', 'rudp'].includes(clause),
  );
}

function missingText({ all, count, of }: VerdictRule<Clause>, held: Held): string {
  const needed = all.filter((clause) => !held.has(clause));
  const open = of.filter((clause) => !held.has(clause));
  const left = count - (of.length - open.length);
  const parts: string[] = [...needed];
  if (left > 0) parts.push(`${left === 1 ? 'one' : left} of ${open.join(', ')}`);
  return parts.join(' and ');
}

function rangeText({ min, max }: Pick<Range, 'min' | 'max'>): string {
  return `${min}-${max}`;
}
