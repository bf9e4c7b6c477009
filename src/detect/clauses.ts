/// The tests of a profile on one session: each returns the evidence that it
/// found, with frame numbers, or nothing.

import { lengthText, seconds } from './amounts.js';
import type { RudpFacts, TlsConnection } from './connection.js';
import type { CounterEvidence, Evidence, FrameReference } from './findings.js';
import { type Channel, endedAtOnce, type SessionGroup } from './grouping.js';
import type { ChainReading } from './nonce-chain.js';
import type { Clause, TlsSessionProfile } from './profile.js';
import { rangeOf, type ScriptMessage } from './script.js';
import { type FirstRecord, holds, type Side } from './tunnel.js';

/// Frame references given for one piece of evidence.
const MAX_REFERENCES = 16;

/// Evidence by the clause that found it.
export type Held = Map<Clause, Evidence>;

export function evaluateClauses(group: SessionGroup, profile: TlsSessionProfile): Held {
  const held: Held = new Map();
  const note = (clause: Clause, evidence: Evidence | null) => {
    if (evidence !== null) held.set(clause, evidence);
  };
  const byTurns = profile.unit === 'turns';
  if (group.primary.kind === 'primary') {
    note(byTurns ? 'start-turns' : 'start-script', loginScript(group.primary));
  }
  if (group.primary.kind === 'additional') {
    note(byTurns ? 'attach-turns' : 'attach-script', loginScript(group.primary));
  }
  if (group.primary.kind !== 'primary') {
    // The log-in makes them unnecessary.
    note('one-way-pair', oneWayPair(group, profile));
    note('repeated-poll', repeatedPoll(group, profile));
  }
  note('probe', probe(group.primary, profile));
  note('first-records', firstRecords(group.primary, profile));
  note('additional-connection', additionalConnections(group));
  note('keep-alive', keepAlives(group, profile));
  note('keep-alive-law', keepAliveLaw(group, profile));
  note('server-keep-alive', serverKeepAlives(group, profile));
  note('siblings', siblings(group, profile));
  note('hub-poll', hubPolls(group, profile));
  note('poll-rhythm', pollRhythm(group, profile));
  note('frame-sizes', frameSizes(group, profile));
  note('plain-blocks', plainBlocks(group, profile));
  note('rudp', rudp(group));
  note('rudp-chain', rudpChain(group, profile));
  note('nonce-chain', nonceChain(group.channels));
  return held;
}

/// What one would not expect of a SoftEther session.
export function counterEvidence(group: SessionGroup, profile: TlsSessionProfile): CounterEvidence[] {
  const { max } = profile.keepAlive.gapUs;
  const against: CounterEvidence[] = [];
  if (endedAtOnce(group.primary)) {
    against.push({
      feature: 'ended-at-once',
      detail:
        'the connection ends with the welcome: no data followed (a cluster that redirects its client looks like this)',
    });
  }
  if (contradicts(group, profile)) {
    against.push({
      feature: 'tiny-records',
      detail:
        'records come in between that are shorter than any block of the tunnel: this is another application',
    });
  }
  for (const connection of connectionsOf(group)) {
    const { client, server } = connection.tunnel;
    const gapUs = Math.max(client.longestGapUs, server.longestGapUs);
    if (gapUs <= max) continue;
    against.push({
      feature: 'silence',
      detail: `one side of client port ${connection.client.port} is silent for ${seconds(gapUs)} s; with default settings something is sent every ${seconds(max)} s at least`,
    });
  }
  return against;
}

/// True if the connections carry what no tunnel can: no verdict above `suspected` then.
export function contradicts(group: SessionGroup, profile: TlsSessionProfile): boolean {
  return connectionsOf(group).some(({ tunnel }) => tunnel.tinyRecords > profile.tinyRecords.most.value);
}

function loginScript(connection: TlsConnection): Evidence {
  const { profile } = connection;
  const parts = connection.script.messages.map(({ name, record }) => {
    const { min, max } = rangeOf(name, profile);
    return `${name} ${plaintextText(connection, record)} (${min}-${max})`;
  });
  const isPrimary = connection.kind === 'primary';
  const what = isPrimary ? 'log-in' : 'further connection';
  const frames = messageFrames(connection, connection.script.messages);
  if (profile.unit === 'turns') {
    return {
      feature: isPrimary ? 'start-turns' : 'attach-turns',
      detail: `the direction turns as in a SoftEther ${what}, by volumes alone (headers of the TLS records are not in the capture), payload bytes of each turn (expected): ${parts.join(', ')}`,
      frames,
      strength: 'supporting',
    };
  }
  return {
    feature: isPrimary ? 'start-script' : 'attach-script',
    detail: `the records of a SoftEther ${what}, each alone in its turn, plaintext bytes (expected): ${parts.join(', ')}`,
    frames,
    strength: 'strong',
  };
}

function probe(connection: TlsConnection, profile: TlsSessionProfile): Evidence | null {
  const [question, answer] = connection.script.messages;
  if (question?.name !== 'probe' || answer === undefined) return null;
  const length = connection.log.length[answer.record]!;
  const known = profile.script.knownProbeAnswers.some((range) => holds(connection.protection, length, range));
  if (!known) return null;
  return {
    feature: 'probe',
    detail: `before the log-in a request of ${plaintextText(connection, question.record)} bytes asks whether the server is SoftEther, answered with the ${plaintextText(connection, answer.record)} bytes that its servers send`,
    frames: messageFrames(connection, [question, answer]),
    strength: 'supporting',
  };
}

function firstRecords(connection: TlsConnection, profile: TlsSessionProfile): Evidence | null {
  const { client, server } = connection.tunnel;
  const { firstRecords: limits } = profile;
  if (client.first === null || server.first === null) return null;
  // The client learns of the welcome half a round trip later than the server
  // sent it, and its answer needs as long; the path's own time is no delay.
  const withinUs = limits.withinUs.value + 2 * connection.roundTripUs;
  const fits = (first: FirstRecord, most: number) =>
    first.afterUs <= withinUs && connection.protection.plaintextMin(first.length) <= most;
  if (!fits(client.first, limits.client.value) || !fits(server.first, limits.server.value)) return null;
  return {
    feature: 'first-records',
    detail: `right after the welcome both sides send one small record of their own: client ${recordText(connection, client.first)}, server ${recordText(connection, server.first)}`,
    frames: references(connection, [client.first.frame, server.first.frame]),
    strength: 'strong',
  };
}

function additionalConnections(group: SessionGroup): Evidence | null {
  const attached = group.additional.filter(({ kind }) => kind === 'additional');
  const [first] = attached;
  if (first === undefined) return null;
  const afterUs = first.firstUs - group.primary.tunnel.beginUs;
  const { attach, attachAnswer } = first.profile.script;
  return {
    feature: 'additional-connection',
    detail: `${attached.length} further connection(s) to the same server port with signature, hello, attach (${attach.min}-${attach.max}) and answer (${attachAnswer.min}-${attachAnswer.max}), the first ${seconds(afterUs)} s after the welcome`,
    frames: attached
      .flatMap((connection) => messageFrames(connection, connection.script.messages.slice(-2)))
      .slice(0, MAX_REFERENCES),
    strength: 'strong',
  };
}

function keepAlives(group: SessionGroup, profile: TlsSessionProfile): Evidence | null {
  const { keepAlive } = profile;
  const channels = connectionsOf(group).flatMap((connection) => [
    { connection, fromClient: true, side: connection.tunnel.client },
    { connection, fromClient: false, side: connection.tunnel.server },
  ]);
  const count = (of: typeof channels) => of.reduce((total, { side }) => total + side.keepAlives.count, 0);
  // A direction with keep-alives holds little else: data puts them off. An
  // application that chats at random times has as many records between them.
  const quiet = channels.filter(
    ({ side }) => side.unexplained <= side.keepAlives.count * keepAlive.maxUnexplained.value,
  );
  const fromClient = count(quiet.filter((channel) => channel.fromClient));
  const fromServer = count(quiet.filter((channel) => !channel.fromClient));
  const bothSides =
    Math.min(fromClient, fromServer) >= keepAlive.minEach.value && spread(quiet) >= keepAlive.minSpread.value;
  const total = count(channels);
  const atLeast = channels.reduce((sum, { side }) => sum + side.keepAlivesAtLeast, 0);
  const manyByLaw =
    total >= keepAlive.minWithShare.value &&
    atLeast >= total * keepAlive.leastGapShare.min &&
    atLeast <= total * keepAlive.leastGapShare.max;
  if (!bothSides && !manyByLaw) return null;
  return {
    feature: 'keep-alive',
    detail: `both sides send unasked, after ${seconds(keepAlive.gapUs.min)} to ${seconds(keepAlive.gapUs.max)} s of silence, records of random size between ${keepAlive.plaintext.min} and ${keepAlive.plaintext.max} bytes: ${total} in all, ${atLeast} of them after about 4 s`,
    frames: channels
      .flatMap(({ connection, side }) => references(connection, side.keepAlives.frames))
      .slice(0, MAX_REFERENCES),
    strength: 'strong',
  };
}

/// More keep-alives than chance gives, and no silence that the law forbids.
function keepAliveLaw(group: SessionGroup, profile: TlsSessionProfile): Evidence | null {
  const { keepAlive, running } = profile;
  const sides = connectionsOf(group).flatMap(({ tunnel }) => [tunnel.client, tunnel.server]);
  const total = sides.reduce((sum, side) => sum + side.keepAlives.count, 0);
  const silent = sides.some((side) => side.records > 0 && side.longestGapUs > keepAlive.gapUs.max);
  const evidence = keepAlives(group, profile);
  if (total < running.minKeepAlives.value || silent || evidence === null) return null;
  return {
    ...evidence,
    feature: 'keep-alive-law',
    detail: `${total} keep-alives, and neither side is ever silent for longer than ${seconds(keepAlive.gapUs.max)} s`,
  };
}

/// The server's keep-alives alone: of a client that is not SoftEther's own nothing is known.
function serverKeepAlives(group: SessionGroup, profile: TlsSessionProfile): Evidence | null {
  const { keepAlive } = profile;
  if (profile.clientProduct === null) return null;
  const { server } = group.primary.tunnel;
  const { count, frames } = server.keepAlives;
  const fits =
    count >= keepAlive.minFromServer.value &&
    server.keepAlivesAtLeast > 0 &&
    server.longestKeepAlive - server.shortestKeepAlive >= keepAlive.minSpread.value &&
    server.unexplained <= count * keepAlive.maxUnexplained.value;
  if (!fits) return null;
  return {
    feature: 'server-keep-alive',
    detail: `the server sends unasked, after ${seconds(keepAlive.gapUs.min)} to ${seconds(keepAlive.gapUs.max)} s of silence, records of random size between ${keepAlive.plaintext.min} and ${keepAlive.plaintext.max} bytes: ${count}, ${server.keepAlivesAtLeast} of them after about 4 s`,
    frames: references(group.primary, frames),
    strength: 'strong',
  };
}

function siblings(group: SessionGroup, profile: TlsSessionProfile): Evidence | null {
  const connections = connectionsOf(group);
  if (connections.length < profile.running.minSiblings.value) return null;
  return {
    feature: 'siblings',
    detail: `${connections.length} such connections of the client to the same server port at the same time`,
    frames: connections
      .flatMap((connection) => references(connection, [connection.helloFrame]))
      .slice(0, MAX_REFERENCES),
    strength: 'supporting',
  };
}

/// Half duplex: what one connection carries up, another one carries down.
function oneWayPair(group: SessionGroup, profile: TlsSessionProfile): Evidence | null {
  const { minOneWay } = profile.running;
  const carriesOnly = (side: Side, other: Side) => side.records >= minOneWay.value && other.records === 0;
  const connections = connectionsOf(group);
  const up = connections.find(({ tunnel }) => carriesOnly(tunnel.client, tunnel.server));
  const down = connections.find(({ tunnel }) => carriesOnly(tunnel.server, tunnel.client));
  if (up === undefined || down === undefined) return null;
  return {
    feature: 'one-way-pair',
    detail: `half duplex: client port ${up.client.port} carries what the client sends and nothing else, client port ${down.client.port} what the server sends`,
    frames: [up, down].flatMap((connection) => references(connection, [connection.helloFrame])),
    strength: 'supporting',
  };
}

/// Bytes between the least and the greatest keep-alive.
function spread(channels: readonly { side: Side }[]): number {
  const shortest = Math.min(...channels.map(({ side }) => side.shortestKeepAlive));
  return Math.max(...channels.map(({ side }) => side.longestKeepAlive)) - shortest;
}

function hubPolls(group: SessionGroup, profile: TlsSessionProfile): Evidence | null {
  const { hubPoll } = profile;
  const connections = connectionsOf(group);
  const pairs = sum(connections, ({ tunnel }) => tunnel.polls.answered.count);
  if (pairs < hubPoll.minPairs.value) return null;
  return {
    feature: 'hub-poll',
    detail: `the server sends records of exactly one ARP request (${hubPoll.arp.value} bytes) or neighbour solicitation (${hubPoll.neighbourSolicitation.value}) and the client answers at once with the fitting reply: ${pairs} times`,
    frames: connections
      .flatMap((connection) => references(connection, connection.tunnel.polls.answered.frames))
      .slice(0, MAX_REFERENCES),
    strength: 'strong',
  };
}

function repeatedPoll(group: SessionGroup, profile: TlsSessionProfile): Evidence | null {
  const pairs = sum(connectionsOf(group), ({ tunnel }) => tunnel.polls.answered.count);
  const evidence = hubPolls(group, profile);
  if (pairs < profile.hubPoll.minRepeated.value || evidence === null) return null;
  return { ...evidence, feature: 'repeated-poll', detail: `${pairs} polls of a virtual hub are answered` };
}

function pollRhythm(group: SessionGroup, profile: TlsSessionProfile): Evidence | null {
  const { periodUs, minPeriods } = profile.hubPoll;
  const connections = connectionsOf(group);
  const periods = sum(connections, ({ tunnel }) => tunnel.polls.periods.count);
  if (periods < minPeriods.value) return null;
  return {
    feature: 'poll-rhythm',
    detail: `the server sends what a virtual hub does, polls of known addresses that the client answers at once, ${seconds(periodUs.min)} to ${seconds(periodUs.max)} s one after the other: ${periods} times`,
    frames: connections
      .flatMap((connection) => references(connection, connection.tunnel.polls.periods.frames))
      .slice(0, MAX_REFERENCES),
    strength: 'decisive',
  };
}

function frameSizes(group: SessionGroup, profile: TlsSessionProfile): Evidence | null {
  const { sizes, minRecords, minShare, minDifferent } = profile.frameSizes;
  const connections = connectionsOf(group);
  const small = sum(connections, ({ tunnel }) => tunnel.smallRecords);
  const fitting = sum(connections, ({ tunnel }) => tunnel.frameSized.count);
  const different = sizes.values.filter((_, i) =>
    connections.some(({ tunnel }) => (tunnel.sizesSeen & (1 << i)) !== 0),
  );
  const enough = small >= minRecords.value && different.length >= minDifferent.value;
  if (!enough || fitting < small * minShare.value) return null;
  return {
    feature: 'frame-sizes',
    detail: `${fitting} of ${small} small records hold exactly one Ethernet frame of a usual size: ${different.join(', ')} bytes`,
    frames: connections
      .flatMap((connection) => references(connection, connection.tunnel.frameSized.frames))
      .slice(0, MAX_REFERENCES),
    strength: 'strong',
  };
}

function plainBlocks(group: SessionGroup, profile: TlsSessionProfile): Evidence | null {
  const sides = connectionsOf(group).flatMap((connection) =>
    connection.plain === null
      ? []
      : [connection.plain.client, connection.plain.server].map((side) => ({ connection, side })),
  );
  if (!sides.some(({ side }) => side.blocks >= profile.plainBlocks.minBlocks.value)) return null;
  const blocks = sides.reduce((total, { side }) => total + side.blocks, 0);
  const frames = sides.reduce((total, { side }) => total + side.frames, 0);
  const where =
    group.primary.kind === 'running'
      ? 'the connection was running before the capture began and consists of blocks of the tunnel in clear'
      : 'after the log-in the connection leaves TLS and goes on with blocks of the tunnel in clear';
  return {
    feature: 'plain-blocks',
    detail: `${where} (${blocks}, with ${frames} Ethernet frames): encryption is switched off`,
    frames: sides
      .filter(({ side }) => side.firstFrame > 0)
      .flatMap(({ connection, side }) => references(connection, [side.firstFrame]))
      .slice(0, MAX_REFERENCES),
    strength: 'decisive',
  };
}

const RUDP_NAMES = { udp: 'UDP', dns: 'DNS messages', icmp: 'ICMP messages' };

function rudp(group: SessionGroup): Evidence | null {
  const facts = group.primary.rudp;
  if (facts === null) return null;
  const { carrier, keyless, segments, bulkLinks, bulkPackets, frames } = facts;
  if (keyless) {
    // Bulk packets carry the frames of a tunnel, and nothing else chains like them.
    return bulkLinks === 0 ? null : { ...keylessRudp(group, facts), feature: 'rudp', strength: 'decisive' };
  }
  const bulk =
    bulkLinks === 0 ? '' : `; ${bulkLinks} of ${bulkPackets} packets of data chain by their nonces`;
  return {
    feature: 'rudp',
    detail: `R-UDP in ${RUDP_NAMES[carrier]}: ${segments} segments are signed with the keys that follow from the opening (SHA-1, 160 bits)${bulk}`,
    frames: references(group.primary, frames),
    strength: 'decisive',
  };
}

/// R-UDP for certain, and a tunnel: an attempt beside another way of connecting
/// is over sooner, and opens no second connection.
function rudpChain(group: SessionGroup, profile: TlsSessionProfile): Evidence | null {
  const { primary, additional } = group;
  if (!primary.rudp?.keyless || primary.rudp.bulkLinks > 0) return null;
  const lasts = primary.lastUs - primary.firstUs >= profile.running.maxRudpAttemptUs.value;
  return lasts || additional.length > 0 ? keylessRudp(group, primary.rudp) : null;
}

function keylessRudp({ primary }: SessionGroup, facts: RudpFacts): Evidence {
  const { carrier, segments, bulkPackets, frames } = facts;
  return {
    feature: 'rudp-chain',
    detail: `R-UDP in ${RUDP_NAMES[carrier]} whose opening was not captured: ${segments} of ${bulkPackets} packets take their nonce from the packet before`,
    frames: references(primary, frames),
    strength: 'strong',
  };
}

/// Evidence of UDP acceleration: the next nonce is in the datagram before.
export function nonceChain(channels: readonly Channel[]): Evidence | null {
  const [first] = channels;
  if (first === undefined) return null;
  const { fromClient, fromServer, flow } = first;
  const side = ({ links, pairs, variant }: ChainReading) =>
    `${links} of ${pairs} pairs (${variant ?? 'none'})`;
  return {
    feature: 'nonce-chain',
    detail: `UDP acceleration: each datagram's nonce stands in the datagram before it, client ${side(fromClient)}, server ${side(fromServer)}`,
    frames: [...fromClient.frames, ...fromServer.frames].map((frame) => ({ input: flow.input, frame })),
    strength: 'decisive',
  };
}

function connectionsOf(group: SessionGroup): TlsConnection[] {
  return [group.primary, ...group.additional];
}

function sum(connections: readonly TlsConnection[], amount: (connection: TlsConnection) => number): number {
  return connections.reduce((total, connection) => total + amount(connection), 0);
}

function messageFrames(connection: TlsConnection, messages: readonly ScriptMessage[]): FrameReference[] {
  return references(
    connection,
    messages.map(({ record }) => connection.log.frame[record]!),
  );
}

function references(connection: TlsConnection, frames: readonly number[]): FrameReference[] {
  return frames.map((frame) => ({ input: connection.input, frame }));
}

/// Plaintext bytes of a logged record; of a turn its payload.
function plaintextText(connection: TlsConnection, record: number): string {
  if (connection.profile.unit === 'turns') return `${connection.log.length[record]}`;
  return lengthText(connection.protection, connection.log.length[record]!);
}

function recordText(connection: TlsConnection, first: FirstRecord): string {
  return `${lengthText(connection.protection, first.length)} bytes after ${seconds(first.afterUs)} s`;
}
