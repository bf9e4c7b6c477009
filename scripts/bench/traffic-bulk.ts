/** The bulk input: full-size packets in a few flows, as a backup over TLS makes them. */
import { Random } from '../lab/random.js';
import type { CaptureFile } from './capture-file.js';
import { TcpConversation, tlsLength } from './conversation.js';
import { FrameBuilder } from './frame-builder.js';
import { Noise } from './noise.js';
import { chooseSuite, clientFinished, clientHello, serverHello, sessionTickets } from './tls-messages.js';
import { BEGIN_US } from './traffic-mixed.js';

const FLOWS = 8;
/** 1514 bytes at 1 Gbit/s. */
const PACKET_GAP_US = 12;
/** Part of the file that is payload. */
const PAYLOAD = 1460 / 1530;

/** Writes the input of about `size` bytes; returns the number of flows. */
export function writeBulk(out: CaptureFile, size: number, seed: number): number {
  const random = new Random(seed);
  const noise = new Noise(random);
  const options = { timestamps: false, acknowledge: false, roundTripUs: 10_000, segmentGapUs: 12 };
  const bytes = tlsLength(Math.floor((size * PAYLOAD) / FLOWS));
  let open = Array.from({ length: FLOWS }, (_, flow) => {
    const suite = chooseSuite(random);
    const messages = [
      { fromClient: true, literal: clientHello(random, 'backup.example.net', false), afterUs: 0 },
      {
        fromClient: false,
        literal: serverHello(random, suite),
        noise: tlsLength(3000),
        tls: true,
        afterUs: 0,
      },
      { fromClient: true, literal: clientFinished(random, suite), afterUs: 0 },
      { fromClient: false, literal: sessionTickets(random), afterUs: 0 },
      { fromClient: true, noise: tlsLength(300), tls: true, afterUs: 0 },
      { fromClient: false, noise: bytes, tls: true, afterUs: 0 },
    ];
    const ends = {
      version: 4 as const,
      clientAddress: 0x0a14_0002 + flow,
      serverAddress: 0xc612_0001,
      clientPort: 40_000 + flow,
      serverPort: 443,
    };
    return new TcpConversation(ends, messages, options, random, noise);
  });
  const frame = new FrameBuilder();
  let timeUs = BEGIN_US;
  while (open.length > 0) {
    open = open.filter((conversation) => {
      const more = conversation.step(frame) >= 0;
      out.add(timeUs, frame.bytes, frame.length, frame.length);
      timeUs += PACKET_GAP_US;
      return more;
    });
  }
  return FLOWS;
}
