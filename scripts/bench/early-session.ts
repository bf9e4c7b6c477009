/** A conversation as SoftEther 1.0 may have had it (`src/profiles/softether-1.ts`): none can be recorded. */
import { Random } from '../lab/random.js';
import { type Message, TcpConversation } from './conversation.js';
import { Noise } from './noise.js';
import { earlyClientHello, earlyServerHello } from './tls-messages.js';
import { BEGIN_US } from './traffic-mixed.js';

const LOGIN_BYTES = [180, 420, 260, 900];
const FRAME_BYTES = [42, 54, 60, 66, 92];
/** In front of each frame. */
const BLOCK_BYTES = 8;
/** Behind each plaintext, of RSA_RC4_128_MD5. */
const MAC_BYTES = 16;
const LENGTH_US = 300_000_000;
const PAUSE_US = 1_200_000;
/** ChangeCipherSpec, and a Finished whose 32 bytes are noise. */
const FINISHED = Uint8Array.of(20, 3, 1, 0, 1, 1, 22, 3, 1, 0, 32);

export function earlySession(seed: number): TcpConversation {
  const random = new Random(seed);
  const messages: Message[] = [
    { fromClient: true, literal: earlyClientHello(random, BEGIN_US / 1e6), afterUs: 200 },
    { fromClient: false, literal: earlyServerHello(random), afterUs: 1_000 },
    { fromClient: true, literal: FINISHED, noise: 32, afterUs: 1_000 },
    { fromClient: false, literal: FINISHED, noise: 32, afterUs: 1_000 },
    ...LOGIN_BYTES.map((bytes, i) => record(i % 2 === 0, bytes, 2_000)),
  ];
  for (let us = 0; us < LENGTH_US; us += PAUSE_US) {
    const fromClient = random.chance(0.5);
    messages.push(record(fromClient, BLOCK_BYTES + random.pick(FRAME_BYTES), PAUSE_US));
    // What was asked is answered at once.
    if (random.chance(0.3)) messages.push(record(!fromClient, BLOCK_BYTES + FRAME_BYTES[0]!, 2_000));
  }
  const ends = {
    version: 4 as const,
    clientAddress: 0x0a00_0002,
    serverAddress: 0xc612_0001,
    clientPort: 1027,
    serverPort: 443,
  };
  const options = { timestamps: false, acknowledge: true, roundTripUs: 10_000, segmentGapUs: 100 };
  return new TcpConversation(ends, messages, options, random, new Noise(random));
}

function record(fromClient: boolean, plaintext: number, afterUs: number): Message {
  const length = plaintext + MAC_BYTES;
  return {
    fromClient,
    literal: Uint8Array.of(23, 3, 1, length >>> 8, length & 0xff),
    noise: length,
    afterUs,
  };
}
