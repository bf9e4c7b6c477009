import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ENTRY_WORDS,
  FlowTable,
  type FlowTableLimits,
  KIND_CLOSED,
  KIND_SYN_FROM_A,
  KIND_SYN_FROM_B,
  STATE_DISMISSED,
  STATE_FOLLOWED,
  WORD_KIND,
  WORD_PACKETS,
} from '#sealert/flow/flow-table.js';
import { Packet } from '#sealert/wire/packet.js';
import type { PacketBatch } from '#sealert/wire/packet-batch.js';
import { ACK, FIN, RST, SYN } from '../support/frames.js';
import { batchOf } from '../support/packet-batches.js';
import fc from '../support/property.js';

const LIMITS: FlowTableLimits = {
  maxFlows: 1 << 12,
  followedIdleSeconds: 300,
  otherIdleSeconds: 120,
  closedIdleSeconds: 10,
};

/// Both ends of a flow; addresses are given by one number each, ports belong to them.
interface Tuple {
  v6: boolean;
  protocol: number;
  ends: [address: number, port: number][];
}

/// A packet of the flow in one direction, and the bytes of its IPv6 addresses.
function packetOf(tuple: Tuple, fromFirst: boolean, flags = ACK, sequence = 0) {
  const [source, destination] = fromFirst ? tuple.ends : tuple.ends.toReversed();
  const packet = new Packet();
  const view = new DataView(new ArrayBuffer(40));
  packet.version = tuple.v6 ? 6 : 4;
  packet.protocol = tuple.protocol;
  packet.source = source![0] | 0;
  packet.destination = destination![0] | 0;
  packet.addressesAt = 8;
  // The number stands in different words, so that every word matters.
  view.setInt32(8 + 4 * (source![0] & 3), source![0]);
  view.setInt32(24 + 4 * (destination![0] & 3), destination![0]);
  packet.sourcePort = tuple.protocol === 1 ? 0 : source![1];
  packet.destinationPort = tuple.protocol === 1 ? 0 : destination![1];
  packet.tcpFlags = flags;
  packet.sequence = sequence | 0;
  return { packet, view };
}

/// Has the table take a packet; returns its entry.
function count(table: FlowTable, batch: PacketBatch): number {
  table.lookUpOne(batch, 0);
  return table.entry;
}

function keyOf({ v6, protocol, ends }: Tuple): string {
  const texts = ends.map(([address, port]) => `${address} ${protocol === 1 ? 0 : port}`).sort();
  return [v6, protocol, ...texts].join(' ');
}

const anyEnd = fc.tuple(fc.integer({ min: -40, max: 40 }), fc.constantFrom(443, 1024, 65_535));
const anyTuple: fc.Arbitrary<Tuple> = fc.record({
  v6: fc.boolean(),
  protocol: fc.constantFrom(6, 6, 17, 1),
  ends: fc.tuple(anyEnd, anyEnd),
});
const anyStep = fc.record({
  tuple: anyTuple,
  again: fc.boolean(),
  fromFirst: fc.boolean(),
  waitSeconds: fc.oneof(fc.constant(0), fc.nat(20), fc.constant(130)),
  follow: fc.boolean(),
});

interface Known {
  entry: number;
  packets: number;
  second: number;
  fromB: boolean;
  followed: boolean;
}

/// The word of an entry that is free.
const FREE = -1;

/// A Map beside the table: what it must agree with after every packet.
class Model {
  readonly flows = new Map<string, Known>();
  /// Which flow an entry was last given to.
  readonly owners = new Map<number, string>();
  readonly table: FlowTable;
  begun = 0;
  follows = 0;
  releases = 0;
  private second = 1_795_395_600;

  constructor(limits: FlowTableLimits) {
    this.table = new FlowTable(limits, (entry) => {
      const flow = this.flows.get(this.owners.get(entry)!);
      assert.equal(flow?.followed, true, 'only followed flows are released, once');
      flow!.followed = false;
      this.releases++;
    });
  }

  /// Gives the table a packet and checks what it says. Returns its entry.
  packet(tuple: Tuple, fromFirst: boolean, waitSeconds: number, mayBeGone: boolean): number {
    this.second += waitSeconds;
    const key = keyOf(tuple);
    const known = this.flows.get(key);
    const limit = known?.followed ? LIMITS.followedIdleSeconds : LIMITS.otherIdleSeconds;
    const isDue = known !== undefined && this.second - known.second <= limit;
    const isThere =
      known !== undefined &&
      this.owners.get(known.entry) === key &&
      this.table.words[known.entry * ENTRY_WORDS + WORD_KIND] !== FREE;
    const { packet, view } = packetOf(tuple, fromFirst);
    const entry = count(this.table, batchOf(packet, view, this.second * 1e6));
    const packets = this.table.words[entry * ENTRY_WORDS + WORD_PACKETS]!;
    const isNew = packets === 1;
    assert.equal(
      isNew,
      !(isDue && (isThere || !mayBeGone)),
      'a flow lasts until it has been idle, no longer',
    );
    if (isNew) {
      this.begun++;
      if (known !== undefined) {
        assert.equal(known.followed, false, 'a followed flow is released before it goes');
      }
      this.owners.set(entry, key);
    } else {
      assert.equal(packets, known!.packets + 1);
      assert.equal(this.owners.get(entry), key, 'two flows share an entry');
    }
    const direction = this.table.fromB === fromFirst;
    const [a, b] = tuple.ends;
    if (known !== undefined && (a![0] !== b![0] || (tuple.protocol !== 1 && a![1] !== b![1]))) {
      // Told by the ends alone: the same in old and new flows of a 5-tuple.
      assert.equal(orientation(tuple) === direction, known.fromB, 'a direction has changed sides');
    }
    this.flows.set(key, {
      entry,
      packets,
      second: this.second,
      fromB: orientation(tuple) === direction,
      followed: isNew ? false : known!.followed,
    });
    return entry;
  }

  follow(tuple: Tuple, entry: number): void {
    const flow = this.flows.get(keyOf(tuple))!;
    if (flow.followed) return;
    flow.followed = true;
    this.follows++;
    this.table.setState(entry, STATE_FOLLOWED);
  }

  end(): void {
    this.table.endAll();
    assert.equal(this.releases, this.follows);
    assert.equal(this.table.tcpFlows + this.table.udpFlows + this.table.icmpFlows, this.begun);
  }
}

/// Which end a tuple names first, in an order of its own.
function orientation({ protocol, ends }: Tuple): boolean {
  const [a, b] = ends.map(([address, port]) => address * 65_536 + (protocol === 1 ? 0 : port));
  return a! < b!;
}

test('the table agrees with a Map: both directions, expiry, release', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 300 }), (steps) => {
      const model = new Model({ ...LIMITS, maxFlows: 512 });
      steps.forEach((step, i) => {
        // Half of the packets belong to a flow that was there before.
        const tuple = step.again && i > 0 ? steps[i >> 1]!.tuple : step.tuple;
        const entry = model.packet(tuple, step.fromFirst, step.waitSeconds, false);
        if (step.follow) model.follow(tuple, entry);
      });
      model.end();
      assert.equal(model.table.evictedFlows, 0);
    }),
    { numRuns: 200 },
  );
});

test('a full table gives up flows that nobody follows, and counts them', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 300 }), (steps) => {
      const model = new Model({ ...LIMITS, maxFlows: 16 });
      for (const { tuple, fromFirst, follow } of steps) {
        const entry = model.packet(tuple, fromFirst, 0, true);
        if (follow && model.follows < 8) model.follow(tuple, entry);
      }
      assert.equal(model.releases, 0, 'a followed flow was given up before others');
      assert.equal(model.table.evictedFlows, Math.max(0, model.begun - 16));
      model.end();
    }),
    { numRuns: 200 },
  );
});

test('it grows to many flows and finds each again', () => {
  const model = new Model({ ...LIMITS, maxFlows: 1 << 16 });
  const tuples: Tuple[] = Array.from({ length: 20_000 }, (_, i) => ({
    v6: i % 3 === 0,
    protocol: i % 2 === 0 ? 6 : 17,
    ends: [
      [i * 7919, 1024 + (i % 5)],
      [-i - 1, 443],
    ],
  }));
  for (const tuple of tuples) model.packet(tuple, true, 0, false);
  for (const tuple of tuples) model.packet(tuple, false, 0, false);
  assert.equal(model.begun, tuples.length);
  model.end();
});

test('silent flows leave the table as new ones come', () => {
  const table = new FlowTable({ ...LIMITS, maxFlows: 128 }, () => {});
  // One new flow every three seconds: 40 of them are younger than the limit.
  for (let i = 0; i < 3600; i++) {
    const { packet, view } = packetOf(
      {
        v6: false,
        protocol: 17,
        ends: [
          [i, 1],
          [-1, 2],
        ],
      },
      true,
    );
    count(table, batchOf(packet, view, (1000 + 3 * i) * 1e6));
  }
  assert.equal(table.udpFlows, 3600);
  assert.equal(table.evictedFlows, 0);
});

/// A packet of a UDP flow that has this number, at a second.
function datagramAt(table: FlowTable, number: number, second: number): number {
  const ends: Tuple['ends'] = [
    [number, 1],
    [-1, 2],
  ];
  const { packet, view } = packetOf({ v6: false, protocol: 17, ends }, true);
  return count(table, batchOf(packet, view, second * 1e6));
}

test('a time that goes back ends no flow, and brings none back', () => {
  const table = new FlowTable(LIMITS, () => {});
  datagramAt(table, 1, 1000);
  datagramAt(table, 2, 1110);
  // Of another clock, behind by minutes: it goes on as long as its packets come.
  datagramAt(table, 3, 800);
  datagramAt(table, 3, 801);
  assert.equal(table.udpFlows, 3);
  datagramAt(table, 2, 1121);
  // Silent for 121 s of the table's clock, whatever its own time says.
  datagramAt(table, 1, 1010);
  assert.equal(table.udpFlows, 4);
});

test('a silence of a century ends a flow', () => {
  const table = new FlowTable(LIMITS, () => {});
  datagramAt(table, 1, 1_700_000_000);
  datagramAt(table, 2, 0xffff_ffff);
  datagramAt(table, 1, 1_700_000_001);
  assert.equal(table.udpFlows, 3);
});

test('a full table gives up what cannot matter before what may still be followed', () => {
  const table = new FlowTable({ ...LIMITS, maxFlows: 8 }, () => assert.fail('nobody follows'));
  const undecided = datagramAt(table, 1, 1000);
  for (let number = 2; number <= 8; number++) {
    table.setState(datagramAt(table, number, 1000 + number), STATE_DISMISSED);
  }
  for (let number = 9; number <= 15; number++) {
    table.setState(datagramAt(table, number, 1000 + number), STATE_DISMISSED);
  }
  assert.equal(table.evictedFlows, 7);
  assert.equal(datagramAt(table, 1, 1020), undecided);
  assert.equal(table.words[undecided * ENTRY_WORDS + WORD_PACKETS], 2);
});

test('after clear nothing is known', () => {
  const table = new FlowTable(LIMITS, () => assert.fail('nobody follows'));
  const { packet, view } = packetOf(
    {
      v6: true,
      protocol: 6,
      ends: [
        [1, 2],
        [3, 4],
      ],
    },
    true,
  );
  count(table, batchOf(packet, view, 5e6));
  assert.deepEqual([table.tcpFlows, table.midstreamFlows], [1, 1]);
  table.clear();
  assert.deepEqual([table.tcpFlows, table.midstreamFlows], [0, 0]);
  const entry = count(table, batchOf(packet, view, 6e6 + 7));
  assert.equal(table.words[entry * ENTRY_WORDS + WORD_PACKETS], 1);
  assert.equal(table.firstUs(entry), 6e6 + 7);
});

/// Plays TCP packets of one flow; returns whether each was taken for the same
/// flow (true) or for a new one on the same ends.
function play(...packets: [fromFirst: boolean, flags: number, sequence: number][]) {
  const released: number[] = [];
  const table = new FlowTable(LIMITS, (entry) => released.push(entry));
  const tuple: Tuple = {
    v6: false,
    protocol: 6,
    ends: [
      [-5, 1024],
      [9, 443],
    ],
  };
  const same = packets.map(([fromFirst, flags, sequence], place) => {
    const { packet, view } = packetOf(tuple, fromFirst, flags, sequence);
    const before = table.tcpFlows;
    const timeUs = 1e6 + place;
    const entry = count(table, batchOf(packet, view, timeUs));
    const isNew = table.tcpFlows > before;
    if (isNew) assert.equal(table.firstUs(entry), timeUs);
    table.setState(entry, STATE_FOLLOWED);
    return place === 0 || !isNew;
  });
  return { same, released: released.length, flows: table.tcpFlows, kind: table.words[WORD_KIND]! };
}

test('a SYN on used ends: sent again, or a new flow', () => {
  const open: [boolean, number, number][] = [
    [true, SYN, 100],
    [false, SYN | ACK, 900],
  ];
  const again = play(...open, [true, SYN, 100], [false, SYN | ACK, 900]);
  assert.deepEqual(again.same, [true, true, true, true]);
  const other = play(...open, [true, SYN, 101]);
  assert.deepEqual(other.same, [true, true, false]);
  assert.deepEqual([other.released, other.flows], [1, 2]);
  // Sequence numbers say more than the end: a late copy of the SYN begins nothing.
  assert.deepEqual(play(...open, [true, RST, 101], [true, SYN, 100]).same, [true, true, true, true]);
  // The SYN of a flow joined midway was not seen; after its end a SYN is a new flow.
  assert.deepEqual(play([true, ACK, 5], [true, RST, 5], [true, SYN, 77]).same, [true, true, false]);
  assert.deepEqual(play([true, ACK, 5], [true, SYN, 77]).same, [true, true]);
});

test('who sent the SYN, and when a flow is closed', () => {
  const client = (kind: number) => kind & (KIND_SYN_FROM_A | KIND_SYN_FROM_B);
  // The first end has the smaller address: it is A.
  assert.equal(client(play([true, SYN, 1]).kind), KIND_SYN_FROM_A);
  assert.equal(client(play([false, SYN, 1]).kind), KIND_SYN_FROM_B);
  assert.equal(client(play([true, SYN | ACK, 1]).kind), KIND_SYN_FROM_B);
  assert.equal(client(play([true, ACK, 1]).kind), 0);
  const closed = (...packets: Parameters<typeof play>) => (play(...packets).kind & KIND_CLOSED) !== 0;
  assert.equal(closed([true, FIN | ACK, 1], [true, FIN | ACK, 1]), false);
  assert.equal(closed([true, FIN | ACK, 1], [false, FIN | ACK, 1]), true);
  assert.equal(closed([false, RST, 1]), true);
});

test('closed, dismissed and followed flows wait differently long', () => {
  const goneAfter = (seconds: number, state: number | null, flags: number) => {
    const table = new FlowTable(LIMITS, () => {});
    const tuple: Tuple = {
      v6: false,
      protocol: 6,
      ends: [
        [1, 1024],
        [9, 443],
      ],
    };
    const first = packetOf(tuple, true, flags, 1);
    const batch = batchOf(first.packet, first.view, 0);
    const entry = count(table, batch);
    if (state !== null) table.setState(entry, state);
    // Each new flow looks at two entries; three look at all that there are.
    for (let i = 0; i < 3; i++) {
      const { packet, view } = packetOf(
        {
          v6: false,
          protocol: 17,
          ends: [
            [i, 1],
            [-1, 2],
          ],
        },
        true,
      );
      count(table, batchOf(packet, view, seconds * 1e6));
    }
    const again = packetOf(tuple, true);
    const found = count(table, batchOf(again.packet, again.view, seconds * 1e6));
    return table.words[found * ENTRY_WORDS + WORD_PACKETS] === 1;
  };
  const LIFE: [seconds: number, state: number | null, flags: number][] = [
    [10, STATE_DISMISSED, RST],
    [120, null, ACK],
    [120, STATE_DISMISSED, ACK],
    [300, STATE_FOLLOWED, ACK],
  ];
  for (const [seconds, state, flags] of LIFE) {
    assert.equal(goneAfter(seconds, state, flags), false, `${seconds} s`);
    assert.equal(goneAfter(seconds + 1, state, flags), true, `${seconds + 1} s`);
  }
});
