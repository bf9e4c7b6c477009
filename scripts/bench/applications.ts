/** What ordinary programs say: the conversations of the mixed input. */
import type { Random } from '../lab/random.js';
import {
  type Conversation,
  DatagramConversation,
  FailedConnection,
  type Message,
  TcpConversation,
  tlsLength,
} from './conversation.js';
import type { Ends } from './frame-builder.js';
import type { Noise } from './noise.js';
import { quicInitial } from './quic-initial.js';
import {
  SSH_IDENTIFICATION,
  sshClientKeys,
  sshEncryptedBytes,
  sshNewKeys,
  sshOffer,
  sshServerKeys,
} from './ssh-messages.js';
import { chooseSuite, clientFinished, clientHello, serverHello, sessionTickets } from './tls-messages.js';

const CLIENTS = 3_000;
const SERVERS = 12_000;
const CLIENT_NETWORK = 0x0a14_0000;
/** 198.18.0.0/15, set aside for benchmarks (RFC 2544). */
const SERVER_NETWORK = 0xc612_0000;
const RESOLVER = 0x0a14_0001;

/** Share of conversations over IPv6. */
const IPV6 = 0.15;

/** Largest datagram of QUIC over IPv4 and IPv6 that browsers send. */
const QUIC_DATAGRAM_BYTES = 1250;
const TLS_RECORD_HEADER_BYTES = 5;

const text = new TextEncoder();

/** Payload bytes of SSH: a service that is asked for; what stands before the data of a channel. */
const SSH_SERVICE_BYTES = 17;
const SSH_CHANNEL_DATA_BYTES = 9;
/** A log-in with a key and a terminal, about: who speaks, and the payload bytes of each packet. */
const SSH_LOGIN: readonly (readonly [fromClient: boolean, ...payloads: number[]])[] = [
  [true, 40],
  [false, 34],
  [true, 115],
  [false, 64],
  [true, 202],
  [false, 1],
  [true, 24],
  [false, 420, 17],
  [true, 64, 30],
  [false, 9, 5],
];

export class Applications {
  private ports = 0;

  constructor(
    private readonly random: Random,
    private readonly noise: Noise,
  ) {}

  /** A web page over TLS 1.3: several requests, `bytes` answered in all. */
  web(bytes: number): Conversation {
    const { random } = this;
    const suite = chooseSuite(random);
    const messages: Message[] = [
      { fromClient: true, literal: clientHello(random, this.host(), random.chance(0.5)), afterUs: 200 },
      {
        fromClient: false,
        literal: serverHello(random, suite),
        noise: tlsLength(random.int(2300, 4600)),
        tls: true,
        afterUs: this.waitUs(),
      },
      { fromClient: true, literal: clientFinished(random, suite), afterUs: this.waitUs() },
      { fromClient: false, literal: sessionTickets(random), afterUs: this.waitUs() },
    ];
    this.addExchanges(messages, bytes, random.int(1, 6), true);
    return this.tcp(443, messages);
  }

  /** The same without encryption. */
  plainWeb(bytes: number): Conversation {
    const request = text.encode(
      `GET /${this.random.text(20)} HTTP/1.1\r\nHost: ${this.host()}\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\n\r\n`,
    );
    const head = `HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: ${bytes}\r\n\r\n`;
    return this.tcp(80, [
      { fromClient: true, literal: request, afterUs: 200 },
      { fromClient: false, literal: text.encode(head), noise: bytes, afterUs: this.waitUs() },
    ]);
  }

  /** A terminal over SSH: key presses and their echo, in packets of one channel (RFC 4254 section 5.2). */
  terminal(keys: number): Conversation {
    const { random } = this;
    const says = (fromClient: boolean, afterUs: number, literal: Uint8Array) => ({
      fromClient,
      literal,
      afterUs,
    });
    const sends = (fromClient: boolean, afterUs: number, ...payloads: number[]) => ({
      fromClient,
      noise: payloads.reduce((sum, bytes) => sum + sshEncryptedBytes(bytes), 0),
      afterUs,
    });
    const messages: Message[] = [
      says(true, 300, SSH_IDENTIFICATION),
      says(false, this.waitUs(), SSH_IDENTIFICATION),
      says(true, 900, sshOffer(random, true)),
      says(false, this.waitUs(), sshOffer(random, false)),
      says(true, 2_000, sshClientKeys(random)),
      says(false, this.waitUs(), sshServerKeys(random)),
      { ...says(true, 1_500, sshNewKeys(random)), noise: sshEncryptedBytes(SSH_SERVICE_BYTES) },
      sends(false, this.waitUs(), SSH_SERVICE_BYTES),
      ...SSH_LOGIN.map(([fromClient, ...payloads]) => sends(fromClient, this.waitUs(), ...payloads)),
    ];
    for (let i = 0; i < keys; i++) {
      messages.push(sends(true, random.int(80_000, 600_000), SSH_CHANNEL_DATA_BYTES + 1));
      messages.push(sends(false, this.waitUs(), SSH_CHANNEL_DATA_BYTES + random.int(1, 200)));
    }
    return this.tcp(22, messages);
  }

  /** HTTP/3: `bytes` over UDP, acknowledged by small datagrams. */
  quic(bytes: number): Conversation {
    const { random } = this;
    const hello = clientHello(random, this.host(), false).subarray(TLS_RECORD_HEADER_BYTES);
    const initial = quicInitial(random, hello, QUIC_DATAGRAM_BYTES);
    // The server answers to the empty connection id of the client's Initial.
    const answer = Uint8Array.of(0xc0, 0, 0, 0, 1, 0, 8);
    const messages: Message[] = [
      { fromClient: true, literal: initial, afterUs: 0 },
      { fromClient: false, literal: answer, noise: QUIC_DATAGRAM_BYTES - 7, afterUs: this.waitUs() },
      { fromClient: true, literal: Uint8Array.of(0xe3, 0, 0, 0, 1, 8), noise: 120, afterUs: 900 },
    ];
    const short = Uint8Array.of(0x41);
    for (let left = bytes, i = 0; left > 0; left -= QUIC_DATAGRAM_BYTES, i++) {
      const noise = Math.max(20, Math.min(left, QUIC_DATAGRAM_BYTES)) - 1;
      messages.push({ fromClient: false, literal: short, noise, afterUs: i % 32 === 31 ? 20_000 : 150 });
      if (i % 4 === 3) {
        messages.push({ fromClient: true, literal: short, noise: random.int(24, 42), afterUs: 90 });
      }
    }
    return new DatagramConversation(this.ends(443), messages, this.noise);
  }

  /** A name looked up. */
  lookUp(): Conversation {
    const name = [
      ...this.host()
        .split('.')
        .flatMap((part) => [part.length, ...text.encode(part)]),
      0,
    ];
    const id = [this.random.int(0, 255), this.random.int(0, 255)];
    const question = [...name, 0, 1, 0, 1];
    const query = Uint8Array.of(...id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...question);
    const address = [198, 18, this.random.int(0, 255), this.random.int(0, 255)];
    const answer = [0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, ...address];
    const reply = Uint8Array.of(...id, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, ...question, ...answer);
    const messages: Message[] = [
      { fromClient: true, literal: query, afterUs: 0 },
      { fromClient: false, literal: reply, afterUs: this.random.int(300, 30_000) },
    ];
    const ends = { ...this.ends(53), version: 4 as const, serverAddress: RESOLVER };
    return new DatagramConversation(ends, messages, this.noise);
  }

  /** `count` pings. */
  ping(count: number): Conversation {
    const messages: Message[] = [];
    for (let i = 0; i < count; i++) {
      messages.push({ fromClient: true, noise: 56, afterUs: 1_000_000 });
      messages.push({ fromClient: false, noise: 56, afterUs: this.waitUs() });
    }
    const ends = { ...this.ends(0), version: 4 as const };
    return new DatagramConversation(ends, messages, this.noise, true);
  }

  /** An attempt to connect that fails. */
  failure(): Conversation {
    const { random } = this;
    return new FailedConnection(
      this.ends(random.int(1, 1024)),
      random.chance(0.3),
      random.int(0, 0x7fff_ffff),
    );
  }

  /** Requests and answers in turn; the answers make `bytes` together. */
  private addExchanges(messages: Message[], bytes: number, count: number, tls: boolean): void {
    let left = bytes;
    for (let i = 0; i < count; i++) {
      const part = i === count - 1 ? left : Math.floor(left * this.random.next());
      left -= part;
      const request = this.random.int(80, 900);
      messages.push({
        fromClient: true,
        noise: tlsLength(request),
        tls,
        afterUs: i === 0 ? 100 : this.random.int(500, 2_000_000),
      });
      messages.push({
        fromClient: false,
        noise: tlsLength(Math.max(part, 120)),
        tls,
        afterUs: this.waitUs(),
      });
    }
  }

  private tcp(port: number, messages: readonly Message[]): Conversation {
    const { random } = this;
    const options = {
      timestamps: random.chance(0.5),
      acknowledge: true,
      roundTripUs: this.waitUs(),
      segmentGapUs: random.int(20, 600),
    };
    return new TcpConversation(this.ends(port), messages, options, random, this.noise);
  }

  private ends(serverPort: number): Ends {
    const { random } = this;
    return {
      version: random.chance(IPV6) ? 6 : 4,
      clientAddress: CLIENT_NETWORK + random.int(2, CLIENTS),
      serverAddress: SERVER_NETWORK + random.int(1, SERVERS),
      clientPort: 32_768 + (this.ports++ % 28_000),
      serverPort,
    };
  }

  private host(): string {
    return `host${this.random.int(1, SERVERS)}.example.net`;
  }

  private waitUs(): number {
    return this.random.int(2_000, 120_000);
  }
}
