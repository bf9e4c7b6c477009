/// From the sizes of SoftEther's messages to bytes on one SSH connection.

import {
  channelWireBytes,
  leastOverhead,
  mostOverhead,
  type SshPacketShape,
  USUAL_SHAPES,
} from '../flow/ssh/packet-shape.js';
import type { Range, TlsSessionProfile } from './profile.js';
import type { RecordForm, SshSessionProfile } from './ssh-profile.js';

/// Bytes of channel data that a message of the script can take.
export interface DataWindow {
  min: number;
  max: number;
  /// SSH packets that it can be made of.
  maxPackets: number;
}

export interface ScriptWindows {
  signature: DataWindow;
  hello: DataWindow;
  login: DataWindow;
  welcome: DataWindow;
  attach: DataWindow;
  attachAnswer: DataWindow;
}

/// Wire sizes of the hub's polls if SSH packets and records look in one certain way.
export interface PollSizes {
  form: RecordForm;
  /// By kind: ARP, neighbour discovery.
  question: readonly [number, number];
  /// The answer, and the same padded.
  answer: readonly [readonly number[], readonly number[]];
}

/// Bytes of the stream inside for one record of `plaintext` bytes.
export function recordBytes(form: RecordForm, plaintext: number): number {
  return form.fixed + form.block * Math.ceil((plaintext + form.padded) / form.block);
}

export function scriptWindows(tls: TlsSessionProfile, ssh: SshSessionProfile): ScriptWindows {
  const { script, firstRecords } = tls;
  const forms = ssh.recordForms.filter((form) => form.fixed > 0);
  const least = (plaintext: number) => Math.min(...forms.map((form) => recordBytes(form, plaintext)));
  const most = (plaintext: number) => Math.max(...forms.map((form) => recordBytes(form, plaintext)));
  const packets = ssh.maxPackets.value;
  const window = ({ min, max }: Range, extra: number, maxPackets = packets): DataWindow => ({
    min: least(min),
    max: most(max) + extra,
    maxPackets,
  });
  // The server's first record in the tunnel may follow without a pause.
  const next = most(firstRecords.server.value);
  return {
    signature: window(script.signature, ssh.finishedBytes.value),
    hello: window(script.hello, ssh.ticketBytes.value * ssh.maxTickets.value),
    login: window(script.login, 0),
    welcome: window(script.welcome, next, packets + 1),
    attach: window(script.attach, 0),
    attachAnswer: window(script.attachAnswer, next, packets + 1),
  };
}

/// What one direction of the SSH connection adds. A shape of null: not known.
export class DirectionSizes {
  readonly least: number;
  readonly most: number;
  /// Largest packet that cannot hold a record.
  private readonly ignorable: number;
  private readonly tickets: readonly number[];
  /// Bytes by which compression may make a packet longer.
  readonly slack: number;

  constructor(shape: SshPacketShape | null, compressed: boolean, ssh: SshSessionProfile) {
    const shapes = shape === null ? USUAL_SHAPES : [shape];
    this.slack = compressed ? ssh.compressionBytes.value : 0;
    this.least = Math.min(...shapes.map(leastOverhead));
    this.most = Math.max(...shapes.map(mostOverhead)) + this.slack;
    this.ignorable = this.least + ssh.leastRecordBytes.value - 1;
    // In one packet together, or each in its own.
    this.tickets =
      shape === null
        ? []
        : Array.from({ length: ssh.maxTickets.value }, (_, i) =>
            channelWireBytes(shape, ssh.ticketBytes.value * (i + 1)),
          );
  }

  /// True if so many bytes on the wire, of `packets` packets (0: unknown), fit the window.
  fits(wireBytes: number, packets: number, { min, max, maxPackets }: DataWindow): boolean {
    const fewest = packets > 0 ? packets : 1;
    const highest = packets > 0 ? packets : maxPackets;
    return wireBytes - fewest * this.least >= min && wireBytes - highest * this.most <= max;
  }

  /// True for a single packet that is too small for a record.
  isTiny(wireBytes: number): boolean {
    return wireBytes <= this.ignorable;
  }

  /// True for a single packet of the length of session tickets.
  isTickets(wireBytes: number): boolean {
    for (let i = 0; i < this.tickets.length; i++) {
      const ticket = this.tickets[i]!;
      if (wireBytes >= ticket && wireBytes <= ticket + this.slack) return true;
    }
    return false;
  }
}

/// The poll sizes to look for, for each shape and form that gives others:
/// questions in a direction of `asking` shape, answers of `answering`.
function pollSizes(
  tls: TlsSessionProfile,
  ssh: SshSessionProfile,
  asking: SshPacketShape | null,
  answering: SshPacketShape | null,
): PollSizes[] {
  const { arp, arpPadded, neighbourSolicitation, neighbourAdvertisement } = tls.hubPoll;
  const unknown = asking === null || answering === null;
  const pairs = unknown
    ? USUAL_SHAPES.map((shape) => [shape, shape] as const)
    : [[asking, answering] as const];
  const all = new Map<string, PollSizes>();
  for (const [ask, answer] of pairs) {
    for (const form of ssh.recordForms) {
      const asked = (plaintext: number) => channelWireBytes(ask, recordBytes(form, plaintext));
      const answered = (plaintext: number) => channelWireBytes(answer, recordBytes(form, plaintext));
      const sizes: PollSizes = {
        form,
        question: [asked(arp.value), asked(neighbourSolicitation.value)],
        answer: [[answered(arp.value), answered(arpPadded.value)], [answered(neighbourAdvertisement.value)]],
      };
      const key = `${sizes.question} ${sizes.answer}`;
      if (!all.has(key)) all.set(key, sizes);
    }
  }
  return [...all.values()];
}

/// ARP, neighbour discovery.
export const POLL_KINDS = 2;

/// The poll sizes of a flow, and by size on the wire what it may be: numbers of
/// "lanes", `assumption * POLL_KINDS + kind`. Shared by the flows that look alike.
export class PollTable {
  private readonly questions: (number[] | undefined)[] = [];
  private readonly answers: (number[] | undefined)[] = [];

  constructor(readonly sizes: readonly PollSizes[]) {
    const longest = Math.max(...sizes.flatMap(({ question, answer }) => [...question, ...answer.flat()]));
    for (let size = 0; size <= longest; size++) {
      this.questions.push(undefined);
      this.answers.push(undefined);
    }
    sizes.forEach(({ question, answer }, assumption) => {
      for (let kind = 0; kind < POLL_KINDS; kind++) {
        const lane = assumption * POLL_KINDS + kind;
        note(this.questions, question[kind]!, lane);
        for (const size of answer[kind]!) note(this.answers, size, lane);
      }
    });
  }

  /// The lanes in which a packet of this size asks, or answers; undefined for most sizes.
  lanes(asks: boolean, wireBytes: number): readonly number[] | undefined {
    const table = asks ? this.questions : this.answers;
    return wireBytes < table.length ? table[wireBytes] : undefined;
  }
}

function note(table: (number[] | undefined)[], size: number, lane: number): void {
  const lanes = table[size];
  if (lanes === undefined) table[size] = [lane];
  else lanes.push(lane);
}

/// Both profiles and what follows from them for every flow: made once.
export class SshKnowledge {
  readonly windows: ScriptWindows;
  private readonly tables = new Map<string, PollTable>();
  private readonly directions = new Map<string, DirectionSizes>();

  constructor(
    readonly tls: TlsSessionProfile,
    readonly ssh: SshSessionProfile,
  ) {
    this.windows = scriptWindows(tls, ssh);
  }

  /// What a direction of this shape adds.
  directionSizes(shape: SshPacketShape | null, compressed: boolean): DirectionSizes {
    const key = `${shape === null ? '' : shapeKey(shape)} ${compressed}`;
    let sizes = this.directions.get(key);
    if (sizes === undefined) {
      sizes = new DirectionSizes(shape, compressed, this.ssh);
      this.directions.set(key, sizes);
    }
    return sizes;
  }

  /// For questions in a direction of `asking` shape and answers of `answering`.
  pollTable(asking: SshPacketShape | null, answering: SshPacketShape | null): PollTable {
    const key = asking === null || answering === null ? '' : `${shapeKey(asking)} ${shapeKey(answering)}`;
    let table = this.tables.get(key);
    if (table === undefined) {
      table = new PollTable(pollSizes(this.tls, this.ssh, asking, answering));
      this.tables.set(key, table);
    }
    return table;
  }
}

/// Few: shapes follow from the known ciphers and MACs only.
function shapeKey({ base, block, padded }: SshPacketShape): string {
  return `${base},${block},${padded}`;
}
