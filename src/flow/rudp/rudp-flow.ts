/// One flow that may be R-UDP, SoftEther's own TCP over UDP, DNS or ICMP: finds
/// the opening, derives the keys, verifies and decrypts the segments, and hands
/// on the bytes that both sides send inside, TLS as on a TCP connection.
///
/// After the log-in the tunnel's frames travel in bulk packets whose keys are
/// inside the TLS; those hang together by their nonces (`chain-links.ts`).
///
/// Source: S4 and S5 Network.c RUDPRecvProc, RUDPInterruptProc, RUDPBulkSend.

import { sameBytes } from '../../wire/same-bytes.js';
import { ChainLinks } from '../chain-links.js';
import type { MemoryBudget } from '../memory-budget.js';
import type { StreamConsumer } from '../stream.js';
import { BULK_SHAPES } from './bulk.js';
import { type Carried, findCarried, isIcmpCandidate, OPENING_BYTES, type RudpCarrier } from './carriers.js';
import { KeylessChain } from './keyless-chain.js';
import { type RudpKeys, rudpKeys, SHA1_BYTES } from './keys.js';
import { MAX_SEGMENT_BYTES, MIN_SEGMENT_BYTES, SegmentReader } from './segment.js';
import { SegmentOrder } from './segment-order.js';

/// `opening`: 39 bytes that may begin a session were seen. `verified`: a segment
/// is signed with keys from it. `chained`: no opening, but the IVs chain.
export type RudpState = 'undecided' | 'hopeless' | 'opening' | 'verified' | 'chained';

/// Datagrams of no use after which an undecided flow is let go. A server may
/// send some punch packets of 1 to 18 bytes before the opening (RUDPProcess_NatT_Recv).
const HOPELESS_AFTER = 24;
/// Datagrams after an opening that are not signed with its keys: it was none.
const GIVE_UP_OPENING_AFTER = 16;
/// Different openings of a UDP flow, none of them verified, after which it is let go.
const MAX_OPENINGS = 8;

const MAX_FRAMES = 4;

/// One reader serves all flows: what it holds is taken before the next packet comes.
const reader = new SegmentReader();

/// What an R-UDP flow tells while it is followed.
export interface RudpListener {
  /// A session is certain. Its inner bytes go to what is returned.
  established(flow: RudpFlow): { client: StreamConsumer; server: StreamConsumer };
  /// The session is over: another one begins on the same ends, or the flow has ended.
  closed(flow: RudpFlow): void;
}

/// What one side of a verified session sent.
export class RudpSide {
  segments = 0;
  /// Packets that are no segments, and their links: nearly all have one if they are bulk.
  bulkPackets = 0;
  private links: ChainLinks | null = null;
  /// Bytes of the inner stream.
  order: SegmentOrder | null = null;

  reset(): void {
    this.segments = 0;
    this.bulkPackets = 0;
    this.links?.reset();
    this.order = null;
  }

  get bulkLinks(): number {
    return this.links === null ? 0 : Math.max(this.links.links[0]!, this.links.links[1]!);
  }

  /// Made when a session is certain: most flows that are looked at are none.
  get bulk(): ChainLinks {
    this.links ??= new ChainLinks(BULK_SHAPES);
    return this.links;
  }
}

interface Opening {
  initial: Uint8Array;
  /// Derived when a packet is tried on them.
  keys: RudpKeys | null;
  fromA: boolean;
  timeUs: number;
  frame: number;
  tries: number;
}

export class RudpFlow {
  state: RudpState = 'undecided';
  /// Who sent the opening; valid from state `opening` on.
  clientIsA = true;
  readonly client = new RudpSide();
  readonly server = new RudpSide();
  /// The opening of the present session.
  openingFrame = 0;
  openingUs = 0;
  /// The first frames whose signature was verified.
  readonly frames: number[] = [];
  /// The client said goodbye.
  closeSeen = false;
  /// The chain that stands in for the keys while no opening is known.
  withoutOpening: KeylessChain | null = null;
  private opening: Opening | null = null;
  private current: Opening | null = null;
  private useless = 0;
  private openings = 0;
  private lastUs = 0;
  private lastFrame = 0;
  private readonly carried: Carried = { at: 0, captured: 0, length: 0 };

  constructor(
    readonly carrier: RudpCarrier,
    private readonly budget: MemoryBudget,
    private readonly listener: RudpListener,
  ) {}

  /// Takes the next datagram: a UDP payload, or for ICMP the whole message.
  /// `length` bytes were sent, `captured` of them lie in `bytes` from `at` on.
  datagram(
    fromA: boolean,
    bytes: Uint8Array,
    at: number,
    captured: number,
    length: number,
    timeUs: number,
    frame: number,
  ): RudpState {
    const { state, carried } = this;
    if (state === 'hopeless') return state;
    const isNew = state === 'undecided';
    if (isNew && this.carrier === 'icmp' && !isIcmpCandidate(bytes, at, captured, length)) return state;
    if (!findCarried(this.carrier, bytes, at, captured, length, carried)) {
      // A flow that begins with real DNS is none of ours. Echoes of other programs
      // run between the same hosts: an ICMP flow stays open.
      if (isNew && this.carrier === 'dns') this.state = 'hopeless';
      return this.state;
    }
    this.lastUs = timeUs;
    this.lastFrame = frame;
    // What is stored shorter than it was cannot be verified.
    if (carried.captured === carried.length) {
      if (carried.length === OPENING_BYTES) this.noteOpening(fromA, bytes, timeUs, frame);
      else this.packet(fromA, bytes, timeUs, frame);
    }
    this.giveUpIfUseless();
    return this.state;
  }

  /// The opening that nobody has answered yet, if there is one.
  get unanswered(): { fromA: boolean; timeUs: number; frame: number } | null {
    return this.state === 'opening' ? this.opening : null;
  }

  /// No more datagrams come.
  end(): void {
    if (this.current === null) return;
    this.client.order?.end(this.lastUs, this.lastFrame);
    this.server.order?.end(this.lastUs, this.lastFrame);
    this.listener.closed(this);
    this.current = null;
  }

  private noteOpening(fromA: boolean, bytes: Uint8Array, timeUs: number, frame: number): void {
    const { at } = this.carried;
    const { current, opening } = this;
    // It is sent every 200 ms until it is answered.
    if (current !== null && isRepeated(current, bytes, at)) return;
    if (opening !== null && isRepeated(opening, bytes, at)) return;
    const initial = bytes.slice(at, at + SHA1_BYTES);
    this.opening = { initial, keys: null, fromA, timeUs, frame, tries: 0 };
    if (current !== null) return;
    if (this.state !== 'chained') {
      this.state = this.carrier === 'udp' && ++this.openings > MAX_OPENINGS ? 'hopeless' : 'opening';
    }
    this.clientIsA = fromA;
    this.tryEarlier(this.opening, timeUs, frame);
  }

  /// A client whose attempt is cancelled at once (TCP was faster) says goodbye
  /// before it sends its opening: seen in most recordings of direct sessions.
  private tryEarlier(opening: Opening, timeUs: number, frame: number): void {
    const earlier = this.withoutOpening?.lastSegment(opening.fromA);
    if (!earlier || !this.read(opening, opening.fromA, earlier, 0, earlier.length)) return;
    this.establish(opening);
    this.take(true, timeUs, frame);
  }

  private packet(fromA: boolean, bytes: Uint8Array, timeUs: number, frame: number): void {
    const { at, length } = this.carried;
    if (this.current !== null && this.continues(this.current, fromA, bytes, timeUs, frame)) return;
    const { opening } = this;
    if (opening !== null) {
      if (this.read(opening, fromA, bytes, at, length)) {
        this.establish(opening);
        this.take(fromA === opening.fromA, timeUs, frame);
      } else if (++opening.tries >= GIVE_UP_OPENING_AFTER) {
        this.opening = null;
        if (this.state === 'opening') this.state = 'undecided';
      }
    } else if (this.current === null) {
      this.withoutOpening ??= new KeylessChain(this.carrier);
      this.withoutOpening.datagram(fromA, bytes, at, length, frame);
      if (this.withoutOpening.state === 'chained') this.state = 'chained';
    }
  }

  /// True if the datagram belongs to the present session.
  private continues(
    current: Opening,
    fromA: boolean,
    bytes: Uint8Array,
    timeUs: number,
    frame: number,
  ): boolean {
    const { at, length } = this.carried;
    const fromClient = fromA === current.fromA;
    const side = fromClient ? this.client : this.server;
    // Bulk first: comparing is cheaper than hashing, and most packets are bulk.
    const found = side.bulk.match(bytes, at, length, length);
    if (found > 0) {
      side.bulk.remember(length);
      side.bulkPackets++;
      return true;
    }
    if (found < 0) return true;
    if (this.read(current, fromA, bytes, at, length)) {
      this.take(fromClient, timeUs, frame);
      return true;
    }
    if (this.opening !== null) return false;
    if (length < MIN_SEGMENT_BYTES) return true;
    side.bulk.remember(length);
    side.bulkPackets++;
    return true;
  }

  private read(opening: Opening, fromA: boolean, bytes: Uint8Array, at: number, length: number): boolean {
    if (length < MIN_SEGMENT_BYTES || length > MAX_SEGMENT_BYTES) return false;
    const masked = this.carrier !== 'udp';
    opening.keys ??= rudpKeys(opening.initial);
    return reader.read(opening.keys, fromA === opening.fromA, masked, bytes, at, length);
  }

  private establish(opening: Opening): void {
    this.end();
    this.client.reset();
    this.server.reset();
    this.frames.length = 0;
    this.closeSeen = false;
    this.opening = null;
    this.withoutOpening = null;
    this.openings = 0;
    this.current = opening;
    this.clientIsA = opening.fromA;
    this.openingFrame = opening.frame;
    this.openingUs = opening.timeUs;
    this.state = 'verified';
    const inner = this.listener.established(this);
    this.client.order = new SegmentOrder(inner.client, this.budget, true);
    this.server.order = new SegmentOrder(inner.server, this.budget, false);
  }

  /// Takes the segment that the reader holds.
  private take(fromClient: boolean, timeUs: number, frame: number): void {
    const side = fromClient ? this.client : this.server;
    const other = fromClient ? this.server : this.client;
    side.segments++;
    if (this.frames.length < MAX_FRAMES) this.frames.push(frame);
    if (reader.kind === 'disconnect') {
      this.closeSeen = true;
      return;
    }
    other.order!.acknowledged(reader.maxAck, timeUs, frame);
    if (reader.kind === 'ack') return;
    const { sequence, plain, dataAt, dataLen } = reader;
    side.order!.segment(sequence, reader.kind === 'data', plain, dataAt, dataLen, timeUs, frame);
  }

  private giveUpIfUseless(): void {
    if (this.state !== 'undecided' || this.carrier === 'icmp') return;
    this.useless++;
    const chain = this.withoutOpening;
    const mayChain = chain?.state === 'undecided' && chain.links > 0;
    if (chain?.state === 'hopeless' || (this.useless >= HOPELESS_AFTER && !mayChain)) {
      this.state = 'hopeless';
      this.withoutOpening = null;
    }
  }
}

/// True if the datagram at `at` begins as this opening did.
function isRepeated({ initial }: Pick<Opening, 'initial'>, bytes: Uint8Array, at: number): boolean {
  return sameBytes(bytes, at, initial, 0, initial.length);
}
