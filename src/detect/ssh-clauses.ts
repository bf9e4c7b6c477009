/// The tests of the SSH profile on one candidate: evidence with frame numbers,
/// and the verdict that it reaches.

import { seconds } from './amounts.js';
import type { CounterEvidence, Evidence } from './findings.js';
import type { TlsSessionProfile } from './profile.js';
import type { FirstPiece, SshCandidate } from './ssh-candidate.js';
import type { SshClause, SshSessionProfile } from './ssh-profile.js';
import { type DirectionSizes, recordBytes } from './ssh-sizes.js';

const MAX_REFERENCES = 16;
const STEP_NAMES = ['signature', 'hello', 'log-in', 'welcome'];

export type SshHeld = Map<SshClause, Evidence>;

/// What the tests need to know of the SSH connection.
export interface SshContext {
  tls: TlsSessionProfile;
  ssh: SshSessionProfile;
  input: number;
  clientSizes: DirectionSizes;
  serverSizes: DirectionSizes;
  /// The client's identification string and its frame; empty if not captured.
  identification: string;
  identificationFrame: number;
}

export function evaluateSshClauses(candidate: SshCandidate, context: SshContext): SshHeld {
  const held: SshHeld = new Map();
  script(candidate, context, held);
  firstRecords(candidate, context, held);
  additionalConnections(candidate, context, held);
  keepAlives(candidate, context, held);
  polls(candidate, context, held);
  clientSoftware(context, held);
  return held;
}

export function sshCounterEvidence(candidate: SshCandidate, { tls }: SshContext): CounterEvidence[] {
  const { max } = tls.keepAlive.gapUs;
  const gapUs = Math.max(candidate.client.longestGapUs, candidate.server.longestGapUs);
  if (gapUs <= max) return [];
  return [
    {
      feature: 'silence',
      detail: `one side of the SSH connection is silent for ${seconds(gapUs)} s; a session with default settings sends something every ${seconds(max)} s at least (it may have ended before the SSH connection)`,
    },
  ];
}

function script(candidate: SshCandidate, { input }: SshContext, held: SshHeld): void {
  if (candidate.script === null) return;
  const { wireBytes, frames, openedUs, startUs } = candidate.script;
  if (!Number.isNaN(openedUs)) {
    held.set('channel-open', {
      feature: 'channel-open',
      detail: `a channel was opened ${seconds(startUs - openedUs)} s before the log-in`,
      frames: references(input, frames.slice(0, 1)),
      strength: 'supporting',
    });
  }
  const sizes = STEP_NAMES.map((name, i) => `${name} ${wireBytes[i]}`).join(', ');
  const who = candidate.reversed ? 'the SSH server' : 'the SSH client';
  if (candidate.strict) {
    held.set('start-script', {
      feature: 'start-script',
      detail: `four turns of the SSH connection, begun by the side of ${who}, have the volumes of a SoftEther log-in (bytes on the wire): ${sizes}`,
      frames: references(input, frames),
      strength: 'strong',
    });
    return;
  }
  held.set('tolerant-script', {
    feature: 'tolerant-script',
    detail: `among other traffic of the SSH connection, writes of the volumes of a SoftEther log-in follow each other, begun by the side of ${who} (bytes on the wire): ${sizes}`,
    frames: references(input, frames),
    strength: 'supporting',
  });
}

function firstRecords(candidate: SshCandidate, context: SshContext, held: SshHeld): void {
  if (candidate.script === null) return;
  const { tls, ssh, clientSizes, serverSizes, input } = context;
  const limits = tls.firstRecords;
  const { reversed } = candidate;
  const asker = reversed ? candidate.server.first : candidate.client.first;
  const other = reversed ? candidate.client.first : candidate.server.first;
  if (asker === null || other === null) return;
  const withinUs = limits.withinUs.value + 2 * candidate.roundTripUs;
  const fits = (first: FirstPiece, sizes: DirectionSizes, plaintext: number) =>
    first.afterUs <= withinUs &&
    first.wireBytes - sizes.most <= Math.max(...ssh.recordForms.map((form) => recordBytes(form, plaintext)));
  if (!fits(asker, reversed ? serverSizes : clientSizes, limits.client.value)) return;
  if (!fits(other, reversed ? clientSizes : serverSizes, limits.server.value)) return;
  held.set('first-records', {
    feature: 'first-records',
    detail: `right after the welcome both sides send something small of their own: ${asker.wireBytes} bytes after ${seconds(asker.afterUs)} s and ${other.wireBytes} bytes after ${seconds(other.afterUs)} s`,
    frames: references(input, [asker.frame, other.frame]),
    strength: 'supporting',
  });
}

function additionalConnections(candidate: SshCandidate, { input }: SshContext, held: SshHeld): void {
  const [first] = candidate.attached;
  if (first === undefined) return;
  held.set('additional-connection', {
    feature: 'additional-connection',
    detail: `${candidate.attached.length} further log-in(s) of the volumes of an attaching connection at the distance that SoftEther keeps, the first ${seconds(first.startUs - candidate.sinceUs)} s after the welcome`,
    frames: references(
      input,
      candidate.attached.flatMap(({ frames }) => frames),
    ),
    strength: 'strong',
  });
}

function keepAlives(candidate: SshCandidate, { tls, input }: SshContext, held: SshHeld): void {
  const { client, server } = candidate;
  const { minEach, minSpread, gapUs } = tls.keepAlive;
  if (Math.min(client.keepAlives, server.keepAlives) < minEach.value) return;
  const spread = Math.max(client.longest, server.longest) - Math.min(client.shortest, server.shortest);
  if (spread < minSpread.value) return;
  held.set('keep-alive', {
    feature: 'keep-alive',
    detail: `both sides send unasked, after ${seconds(gapUs.min)} to ${seconds(gapUs.max)} s of silence, packets of random size: ${client.keepAlives} from the SSH client, ${server.keepAlives} from the SSH server`,
    frames: references(input, [...client.keepAliveFrames, ...server.keepAliveFrames]),
    strength: 'strong',
  });
}

function polls(candidate: SshCandidate, { tls, ssh, input }: SshContext, held: SshHeld): void {
  const tally = candidate.polls;
  if (tally === null) return;
  const { hubPoll } = tls;
  const frames = references(input, tally.frames);
  const pairs = tally.answered[0] + tally.answered[1];
  // An SSH packet's size stands for 8 or 16 lengths: one kind alone is met by chance.
  const mostAnswered = pairs >= tally.asked * ssh.minAnsweredShare.value;
  if (mostAnswered && Math.min(...tally.answered) >= hubPoll.minPairs.value) {
    const side = candidate.reversed ? 'the SSH client' : 'the SSH server';
    held.set('hub-poll', {
      feature: 'hub-poll',
      detail: `the side of ${side} sends packets of exactly one ARP request (${tally.sizes.question[0]} bytes on the wire) and one neighbour solicitation (${tally.sizes.question[1]}), and the other answers at once with the fitting reply: ${pairs} times`,
      frames,
      strength: 'supporting',
    });
  }
  const minShare = ssh.minRhythmShare.value;
  const periods = tally.rhythm(tally.periods, minShare);
  if (periods < hubPoll.minPeriods.value) return;
  held.set('poll-rhythm', {
    feature: 'poll-rhythm',
    detail: `${periods} of these polls come ${seconds(hubPoll.periodUs.min)} to ${seconds(hubPoll.periodUs.max)} s after the one before, the rhythm of a virtual hub`,
    frames,
    strength: 'strong',
  });
  const [arp, neighbour] = tally.exact;
  if (arp > 0 && neighbour > 0 && tally.rhythm(tally.exact, minShare) === arp + neighbour) {
    held.set('poll-kinds', {
      feature: 'poll-kinds',
      detail: `both kinds of poll keep the rhythm: ${arp} times ARP, ${neighbour} times neighbour discovery`,
      frames,
      strength: 'strong',
    });
  }
  const exact = tally.rhythm(tally.exact, minShare);
  if (exact < ssh.pollClock.minPeriods.value) return;
  held.set('poll-clock', {
    feature: 'poll-clock',
    detail: `${exact} of the distances are those of the hub's own clock, ${seconds(ssh.pollClock.periodUs.min)} to ${seconds(ssh.pollClock.periodUs.max)} s`,
    frames,
    strength: 'strong',
  });
}

function clientSoftware(context: SshContext, held: SshHeld): void {
  const { identification } = context;
  const known = knownClient(context);
  if (known === undefined) return;
  held.set('client-software', {
    feature: 'client-software',
    detail: `the SSH client names itself ${identification}: ${known.name}, built into SoftEther clients`,
    frames: references(context.input, [context.identificationFrame]),
    strength: 'supporting',
  });
}

/// The SSH program with that identification that is built into SoftEther clients.
export function knownClient({ identification, ssh }: Pick<SshContext, 'identification' | 'ssh'>) {
  return ssh.clientSoftware.find(({ prefix }) => prefix !== '' && identification.startsWith(prefix));
}

function references(input: number, frames: readonly number[]): { input: number; frame: number }[] {
  return frames.slice(0, MAX_REFERENCES).map((frame) => ({ input, frame }));
}
