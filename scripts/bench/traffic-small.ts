/**
 * The small input: packets of 66 to 100 bytes, ten to a flow. Half of the flows
 * are a SYN and nothing else, as a port scan leaves them; all begin within a
 * minute, so that none can be forgotten before the end. Recorded sessions run in
 * between, side by side.
 */
import { Random } from '../lab/random.js';
import type { CaptureFile } from './capture-file.js';
import { type Ends, FrameBuilder, TCP_ACK, TCP_FIN, TCP_PSH, TCP_SYN } from './frame-builder.js';
import { Noise } from './noise.js';
import { type Recording, sideBySide, Weaver } from './recordings.js';
import { BEGIN_US } from './traffic-mixed.js';

const LENGTH_US = 60_000_000;
/** Bytes of the file for one packet: ten million in a gigabyte. */
export const BYTES_PER_PACKET = 100;
const PACKETS_PER_FLOW = 10;
/** Flows that are open at once. */
const OPEN_FLOWS = 20_000;
/** A frame with timestamps and no payload has 66 bytes. */
const MAX_PAYLOAD_BYTES = 34;

/** A flow that goes on after its SYN. */
interface OpenFlow {
  ends: Ends;
  clientNext: number;
  serverNext: number;
  sent: number;
  packets: number;
}

/** Writes the input of about `size` bytes; returns the number of flows made here and the sessions woven in. */
export function writeSmall(out: CaptureFile, size: number, seed: number, recordings: readonly Recording[]) {
  const random = new Random(seed);
  const noise = new Noise(random);
  const frame = new FrameBuilder();
  const { frames, sessions } = sideBySide(recordings, BEGIN_US, BEGIN_US + LENGTH_US);
  const weaver = new Weaver(frames);
  const packets = Math.round(size / BYTES_PER_PACKET);
  const openFlows = Math.min(OPEN_FLOWS, Math.ceil(packets / PACKETS_PER_FLOW / 10));
  // Of twenty packets one is a lone SYN; the others belong to one flow that goes on.
  const loneSyn = 1 / (2 * PACKETS_PER_FLOW);
  const packetsOfOpen = 2 * PACKETS_PER_FLOW - 1;

  let flows = 0;
  const begin = () => openFlow(flows++, random, random.int(packetsOfOpen - 9, packetsOfOpen + 9));
  const open = Array.from({ length: openFlows }, begin);
  for (let i = 0; i < packets; i++) {
    const timeUs = timeOf(i, packets);
    weaver.weave(out, timeUs);
    if (random.chance(loneSyn)) {
      frame.tcp(endsOf(flows++, random), true, random.int(0, 0x3fff_ffff), 0, TCP_SYN, true, 0);
    } else {
      const place = random.int(0, openFlows - 1);
      const flow = open[place]!;
      step(flow, frame, random, noise);
      if (flow.sent === flow.packets) open[place] = begin();
    }
    out.add(timeUs, frame.bytes, frame.length, frame.length);
  }
  weaver.finish(out);
  return { flows, sessions };
}

/** Writes `packets` packets of the same kind, of `flows` flows that are all open at the same time. */
export function writeConcurrent(out: CaptureFile, packets: number, flows: number, seed: number): void {
  const random = new Random(seed);
  const noise = new Noise(random);
  const frame = new FrameBuilder();
  const open = Array.from({ length: flows }, (_, i) => openFlow(i, random, Number.POSITIVE_INFINITY));
  for (let i = 0; i < packets; i++) {
    // Each begins before any of them goes on.
    step(open[i < flows ? i : random.int(0, flows - 1)]!, frame, random, noise);
    out.add(timeOf(i, packets), frame.bytes, frame.length, frame.length);
  }
}

function timeOf(packet: number, packets: number): number {
  return BEGIN_US + Math.floor((packet / packets) * LENGTH_US);
}

function openFlow(flow: number, random: Random, packets: number): OpenFlow {
  return {
    ends: endsOf(flow, random),
    clientNext: random.int(0, 0x3fff_ffff),
    serverNext: random.int(0, 0x3fff_ffff),
    sent: 0,
    packets,
  };
}

/** Every number gives other ends: a bijection of 32 bits spread over client and port. */
function endsOf(flow: number, random: Random): Ends {
  const spread = Math.imul(flow, 0x9e3779b1) >>> 0;
  return {
    version: 4,
    clientAddress: 0x0a00_0000 + (spread & 0xffff),
    serverAddress: 0xc612_0000 + random.int(1, 4000),
    clientPort: spread >>> 16,
    serverPort: random.pick([80, 443, 22, 23, 445, 3389, 8080]),
  };
}

function step(flow: OpenFlow, frame: FrameBuilder, random: Random, noise: Noise): void {
  const { ends, clientNext, serverNext } = flow;
  const nth = flow.sent++;
  const left = flow.packets - flow.sent;
  if (nth === 0) {
    frame.tcp(ends, true, flow.clientNext++, 0, TCP_SYN, true, 0);
  } else if (nth === 1) {
    frame.tcp(ends, false, flow.serverNext++, clientNext, TCP_SYN | TCP_ACK, true, 0);
  } else if (nth === 2 || left === 0) {
    frame.tcp(ends, true, clientNext, serverNext, TCP_ACK, true, 0);
  } else if (left === 2) {
    frame.tcp(ends, true, flow.clientNext++, serverNext, TCP_FIN | TCP_ACK, true, 0);
  } else if (left === 1) {
    frame.tcp(ends, false, flow.serverNext++, clientNext, TCP_FIN | TCP_ACK, true, 0);
  } else {
    const fromClient = random.chance(0.5);
    const length = random.chance(0.4) ? 0 : random.int(1, MAX_PAYLOAD_BYTES);
    const flags = length > 0 ? TCP_ACK | TCP_PSH : TCP_ACK;
    const [own, other] = fromClient ? [clientNext, serverNext] : [serverNext, clientNext];
    const at = frame.tcp(ends, fromClient, own, other, flags, true, length);
    noise.fill(frame.bytes, at, length);
    if (fromClient) flow.clientNext += length;
    else flow.serverNext += length;
  }
}
