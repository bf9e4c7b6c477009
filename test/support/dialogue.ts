/// TCP dialogues from a few lines, and the dialogue of a SoftEther session.

import { softetherTls } from '#sealert/profiles/softether-tls.js';
import { concat, type TestFrame } from './capture-builder.js';
import { ACK, ethernet, FIN, ip, type Network, PSH, SYN, tcp } from './frames.js';
import { Random } from './random.js';
import * as tls from './tls.js';

export interface Ends {
  client: string;
  clientPort: number;
  server: string;
  serverPort: number;
}

export const ENDS: Ends = {
  client: '10.1.0.10',
  clientPort: 50_001,
  server: '203.0.113.10',
  serverPort: 443,
};

/// 2026-11-23 01:00:00 UTC.
export const START_US = 1_795_395_600_000_000;

export interface DialogueOptions {
  startUs?: number;
  /// Most payload bytes of a segment.
  mss?: number;
  /// The link layer around each packet.
  link?: (packet: Network) => Uint8Array;
  /// Where the two streams begin.
  clientSequence?: number;
  serverSequence?: number;
}

/// Writes the packets of one TCP connection, as seen near the client.
export class TcpDialogue {
  readonly frames: TestFrame[] = [];
  nowUs: number;
  private readonly mss: number;
  private readonly link: (packet: Network) => Uint8Array;
  private clientNext: number;
  private serverNext: number;

  constructor(
    private readonly ends: Ends = ENDS,
    options: DialogueOptions = {},
  ) {
    this.nowUs = options.startUs ?? START_US;
    this.mss = options.mss ?? 1448;
    this.link = options.link ?? ((packet) => ethernet(packet));
    this.clientNext = options.clientSequence ?? 0x1000;
    this.serverNext = options.serverSequence ?? 0xfffff000;
  }

  wait(us: number): this {
    this.nowUs += us;
    return this;
  }

  /// SYN, SYN and ACK, ACK.
  open(): this {
    this.packet(true, SYN);
    this.clientNext++;
    this.wait(900).packet(false, SYN | ACK);
    this.serverNext++;
    return this.wait(50).packet(true, ACK);
  }

  /// Sends bytes in as many segments as they need, and the acknowledgement.
  send(fromClient: boolean, bytes: Uint8Array): this {
    for (let at = 0; at < bytes.length; at += this.mss) {
      const payload = bytes.subarray(at, at + this.mss);
      this.packet(fromClient, at + this.mss < bytes.length ? ACK : ACK | PSH, payload);
      if (fromClient) this.clientNext += payload.length;
      else this.serverNext += payload.length;
      this.wait(10);
    }
    return this.wait(400).packet(!fromClient, ACK);
  }

  /// A FIN of each side.
  close(): this {
    this.packet(true, FIN | ACK);
    this.clientNext++;
    this.wait(500).packet(false, FIN | ACK);
    this.serverNext++;
    return this.wait(50).packet(true, ACK);
  }

  private packet(fromClient: boolean, flags: number, payload?: Uint8Array): this {
    const { client, clientPort, server, serverPort } = this.ends;
    const [sequence, acknowledgement] = fromClient
      ? [this.clientNext, this.serverNext]
      : [this.serverNext, this.clientNext];
    const carried = tcp(
      {
        sourcePort: fromClient ? clientPort : serverPort,
        destinationPort: fromClient ? serverPort : clientPort,
        sequence: sequence >>> 0,
        acknowledgement: (flags & ACK) === 0 ? 0 : acknowledgement >>> 0,
        flags,
      },
      payload,
    );
    const addresses = fromClient
      ? { source: client, destination: server }
      : { source: server, destination: client };
    this.frames.push({ bytes: this.link(ip(addresses, carried)), timeUs: this.nowUs });
    return this;
  }
}

/// One message after the handshake: the plaintext lengths of its records.
export interface Step {
  name: string;
  fromClient: boolean;
  /// Time since the step before.
  afterUs: number;
  records: readonly number[];
  /// Bytes without TLS after the records.
  plain?: Uint8Array;
}

export interface SoftetherOptions extends DialogueOptions {
  seed?: number;
  ends?: Ends;
  /// Further connections of the session.
  additional?: number;
  /// How long the tunnel is kept alive.
  seconds?: number;
  /// A connection without the question whether the server is SoftEther.
  probe?: boolean;
  suite?: number;
  /// What the client offers besides its usual hello.
  hello?: tls.ClientHelloFields;
  /// TLS 1.2 instead of 1.3.
  tls12?: boolean;
  /// What each connection says to a proxy before its handshake.
  preamble?: readonly (readonly [fromClient: boolean, bytes: Uint8Array])[];
  /// Changes the first connection's script before it is played.
  edit?: (steps: Step[]) => Step[];
}

/// All packets of a SoftEther session, in the order of their times.
export function softetherDialogue(options: SoftetherOptions = {}): TestFrame[] {
  const { seed = 1, ends = ENDS, additional = 1, seconds = 30, edit = (steps) => steps } = options;
  const random = new Random(seed);
  const startUs = options.startUs ?? START_US;
  const opening = primaryScript(random, options.probe ?? true);
  const first = edit([...opening, ...keepAliveScript(random, seconds)]);
  const dialogues = [playScript(first, { ...options, ends, startUs })];
  for (let i = 1; i <= additional; i++) {
    const steps = [...additionalScript(random), ...keepAliveScript(random, seconds - i)];
    const further = { ...ends, clientPort: ends.clientPort + i };
    dialogues.push(playScript(steps, { ...options, ends: further, startUs: startUs + i * 1_200_000 }));
  }
  return mergeByTime(...dialogues);
}

/// A connection that goes through these steps after its TLS handshake.
export function playScript(steps: readonly Step[], options: SoftetherOptions = {}): TestFrame[] {
  const dialogue = new TcpDialogue(options.ends, options).open();
  for (const [fromClient, bytes] of options.preamble ?? []) dialogue.send(fromClient, bytes).wait(5_000);
  const hello = { ...HELLO, ...options.hello };
  if (options.tls12) handshake12(dialogue, hello);
  else handshake13(dialogue, hello, options.suite ?? tls.TLS_AES_256_GCM_SHA384);
  const overhead = options.tls12 ? 24 : 17;
  for (const { fromClient, afterUs, records, plain = new Uint8Array(0) } of steps) {
    dialogue.wait(afterUs);
    dialogue.send(
      fromClient,
      concat(...records.map((plaintext) => tls.applicationData(plaintext + overhead)), plain),
    );
  }
  return dialogue.wait(10_000).close().frames;
}

/// The script of a session's first connection, with lengths from its profile.
export function primaryScript(random: Random, withProbe = true): Step[] {
  const { script } = softetherTls;
  const any = (range: { min: number; max: number }) => random.between(range.min, range.max);
  const probe = [step('probe', true, 254), step('probe answer', false, 454)];
  return [
    step('tickets', false, 57, 57),
    ...(withProbe ? probe : []),
    step('signature', true, any(script.signature)),
    step('hello', false, any(script.hello)),
    step('log-in', true, any(script.login)),
    step('welcome', false, any(script.welcome)),
    ...firstRecords(random),
  ];
}

/// The same for a further connection.
export function additionalScript(random: Random): Step[] {
  const { script } = softetherTls;
  const any = (range: { min: number; max: number }) => random.between(range.min, range.max);
  return [
    step('tickets', false, 57, 57),
    step('signature', true, any(script.signature)),
    step('hello', false, any(script.hello)),
    step('attach', true, any(script.attach)),
    step('attach answer', false, any(script.attachAnswer)),
    ...firstRecords(random),
  ];
}

/// Both sides' keep-alives for so many seconds, each side by its own clock.
export function keepAliveScript(random: Random, seconds: number): Step[] {
  const due: { atUs: number; fromClient: boolean }[] = [];
  for (const fromClient of [true, false]) {
    let atUs = 0;
    for (;;) {
      atUs += random.between(4_000_000, 10_000_000);
      if (atUs > seconds * 1e6) break;
      due.push({ atUs, fromClient });
    }
  }
  due.sort((a, b) => a.atUs - b.atUs);
  return due.map(({ atUs, fromClient }, i) => ({
    name: 'keep-alive',
    fromClient,
    afterUs: atUs - (due[i - 1]?.atUs ?? 0),
    records: [random.between(8, 519)],
  }));
}

/// Several captures as one: packets in the order of their times.
export function mergeByTime(...captures: readonly (readonly TestFrame[])[]): TestFrame[] {
  return captures.flat().sort((a, b) => a.timeUs - b.timeUs);
}

function firstRecords(random: Random): Step[] {
  return [
    { ...step('first', true, random.between(8, 519)), afterUs: 100_000 },
    { ...step('first', false, random.between(8, 519)), afterUs: 20_000 },
  ];
}

function step(name: string, fromClient: boolean, ...records: readonly number[]): Step {
  return { name, fromClient, afterUs: 1_000, records };
}

/// What the hello of a SoftEther client asks for.
const HELLO = { serverName: '203.0.113.10', versions: [0x0304, 0x0303] };

function handshake13(dialogue: TcpDialogue, offered: tls.ClientHelloFields, suite: number): void {
  const finished = suite === tls.TLS_AES_256_GCM_SHA384 ? 69 : 53;
  const changeCipherSpec = tls.record(tls.CHANGE_CIPHER_SPEC, Uint8Array.of(1));
  const hello = tls.serverHello({ suite, selectedVersion: 0x0304 });
  const encrypted = [23, 908, 281, finished].map(tls.applicationData);
  dialogue.send(true, tls.record(tls.HANDSHAKE, tls.clientHello(offered), 0x0301)).wait(1_000);
  dialogue.send(false, concat(tls.record(tls.HANDSHAKE, hello), changeCipherSpec, ...encrypted)).wait(1_000);
  dialogue.send(true, concat(changeCipherSpec, tls.applicationData(finished))).wait(1_000);
}

function handshake12(dialogue: TcpDialogue, offered: tls.ClientHelloFields): void {
  const changeCipherSpec = tls.record(tls.CHANGE_CIPHER_SPEC, Uint8Array.of(1));
  const finished = concat(changeCipherSpec, tls.record(tls.HANDSHAKE, new Uint8Array(40).fill(0xe7)));
  const messages = [
    tls.serverHello({ suite: tls.ECDHE_RSA_AES_256_GCM_SHA384 }),
    tls.certificateMessage(new Uint8Array(878).fill(0x30)),
    tls.handshakeMessage(12, new Uint8Array(296)),
    tls.handshakeMessage(14, new Uint8Array(0)),
  ];
  dialogue.send(true, tls.record(tls.HANDSHAKE, tls.clientHello(offered), 0x0301)).wait(1_000);
  dialogue.send(false, concat(...messages.map((message) => tls.record(tls.HANDSHAKE, message)))).wait(1_000);
  const keys = tls.record(tls.HANDSHAKE, tls.handshakeMessage(16, new Uint8Array(33)));
  dialogue.send(true, concat(keys, finished)).wait(1_000);
  dialogue.send(false, finished).wait(1_000);
}
