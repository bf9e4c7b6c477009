import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SlotPool, type Slotted } from '#sealert/flow/slot-pool.js';
import fc from '../support/property.js';

function pool() {
  const made: Slotted[] = [];
  const slots = new SlotPool<Slotted>(() => {
    made.push({ entry: -1, lastUs: 0 });
    return made.at(-1)!;
  });
  return { slots, made };
}

test('slots are made when they are needed and used again', () => {
  const { slots, made } = pool();
  const [first, second] = [slots.take(10), slots.take(20)];
  assert.notEqual(first, second);
  assert.deepEqual([slots.at(first).entry, slots.at(second).entry], [10, 20]);
  slots.release(first);
  assert.equal(slots.at(first).entry, -1);
  assert.equal(slots.take(30), first);
  assert.equal(slots.at(first).entry, 30);
  assert.equal(made.length, 2);
});

test('the longest silent flow is the least missed, free slots aside', () => {
  const { slots } = pool();
  assert.equal(slots.leastMissed(), undefined);
  const taken = [50, 20, 40, 10, 30].map((lastUs, i) => {
    const slot = slots.take(i);
    slots.at(slot).lastUs = lastUs;
    return slot;
  });
  assert.equal(slots.leastMissed()?.entry, 3);
  slots.release(taken[3]!);
  assert.equal(slots.leastMissed()?.entry, 1);
  for (const i of [0, 1, 2, 4]) slots.release(taken[i]!);
  assert.equal(slots.leastMissed(), undefined);
});

test('among many flows, one of some is chosen, and every one comes up in turn', () => {
  const { slots } = pool();
  for (let i = 0; i < 1_000; i++) slots.at(slots.take(i)).lastUs = i;
  const chosen = Array.from({ length: 31 }, () => slots.leastMissed()!.entry);
  assert.equal(new Set(chosen).size, 31);
  assert.deepEqual(chosen.slice(0, 3), [0, 32, 64]);
});

test('whatever is taken and released, each entry has its own slot and no more than needed are made', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat()), { maxLength: 200 }), (steps) => {
      const { slots, made } = pool();
      const held = new Map<number, number>();
      let most = 0;
      steps.forEach(([take, choice], entry) => {
        if (take) held.set(entry, slots.take(entry));
        else if (!take && held.size > 0) {
          const [chosen, slot] = [...held][choice % held.size]!;
          slots.release(slot);
          held.delete(chosen);
        }
        most = Math.max(most, held.size);
        assert.equal(slots.taken, held.size);
        for (const [each, slot] of held) assert.equal(slots.at(slot).entry, each);
      });
      assert.equal(made.length, most);
    }),
  );
});

test('every flow with a slot is visited, also when the visitor releases it', () => {
  const { slots } = pool();
  const first = slots.take(10);
  slots.take(20);
  slots.take(30);
  slots.release(first);
  const visited: number[] = [];
  slots.forEach(({ entry }) => {
    visited.push(entry);
    slots.release(entry === 20 ? 1 : 2);
  });
  assert.deepEqual([visited, slots.taken], [[20, 30], 0]);
});
