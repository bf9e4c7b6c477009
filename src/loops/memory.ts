/// The one memory in which the loops of `assembly/` work, and these loops.
///
/// What a loop reads or writes lies in blocks of this memory, and everybody else sees
/// the blocks through typed arrays. The memory is shared, so that it grows without any of these
/// losing what it shows, and so that threads that look at one capture can have the same one.

import { CODE } from './code.js';

interface Memory {
  readonly buffer: ArrayBufferLike;
  grow(pages: number): number;
}

/// Part of JavaScript, but not of what TypeScript knows without a platform.
declare const WebAssembly: {
  Memory: new (limits: { initial: number; maximum: number; shared: boolean }) => Memory;
  Module: new (code: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: object };
};

const PAGE_BYTES = 65_536;
/// All that 32 bits address but one page, for only what is used counts as memory; but the addresses are
/// reserved, and where the system lets a process have few of these, less has to do.
const MAX_PAGES = [65_535, 16_384, 8_192, 4_096, 2_048];
/// What there is room for at least. Where too few addresses are left, V8 gives a memory
/// that is as large as it is at first, and does not grow.
const FIRST_PAGES = 128;
/// Every block begins at a cache line: an entry of the flow table fills one.
const ALIGNMENT = 64;
/// The first free address is kept at the beginning of the memory, for all threads.
const FIRST_FREE = ALIGNMENT;

/// What the loops are called with are numbers and addresses, see `assembly/`.
interface Loops {
  readRecords(
    bytes: number,
    from: number,
    end: number,
    state: number,
    batch: number,
    frame: number,
    headerBytes: number,
    fractionsPerUs: number,
    linkType: number,
    maxBytes: number,
  ): number;
  countFrames(batch: number, from: number, count: number, state: number): number;
  decodeCommon(
    bytes: number,
    batch: number,
    from: number,
    count: number,
    packets: number,
    column: number,
    seed: number,
  ): number;
  lookUp(
    table: number,
    packets: number,
    column: number,
    times: number,
    from: number,
    count: number,
    bytes: number,
  ): number;
  look(table: number, packet: number, column: number, payload: number): number;
  lookUpOne(table: number, packet: number, column: number, time: number, key: number): number;
  advance(table: number, time: number): void;
  leaveAll(table: number): void;
  removeIfSilent(table: number, entry: number): void;
}

/// What the loops ask of the flow table that they work for.
export interface TableOwner {
  release(entry: number): void;
  growEntries(): void;
  newIndex(): void;
}

/// Some bytes: of the memory of the loops, or elsewhere, where only others than the loops can read them.
export interface Place {
  readonly buffer: ArrayBufferLike;
  /// Where they begin; in the memory of the loops never 0.
  readonly at: number;
  readonly isInLoops: boolean;
}

export function placeOutside(bytes: number): Place {
  return { buffer: new ArrayBuffer(bytes), at: 0, isInLoops: false };
}

/// The table that a loop works for at the moment: no loop calls one that works for another.
let owner: TableOwner | undefined;
const tableImports = {
  release: (_table: number, entry: number) => owner!.release(entry),
  growEntries: () => owner!.growEntries(),
  newIndex: () => owner!.newIndex(),
};

/// Made when they are needed: a thread may have those of another instead.
let memory: Memory | undefined;
let loops: Loops | undefined;

/// Blocks by their length that nobody uses any more.
const spare = new Map<number, number[]>();
/// Those that were forgotten instead of given back.
const forgotten = new FinalizationRegistry<{ at: number; bytes: number }>(({ at, bytes }) => keep(at, bytes));

function keep(at: number, bytes: number): void {
  const known = spare.get(bytes);
  if (known === undefined) spare.set(bytes, [at]);
  else known.push(at);
}

/// The system gives no (more) memory for the loops.
export class OutOfMemory extends Error {}

/// The memory of this thread.
function ownMemory(): Memory {
  memory ??= newMemory();
  return memory;
}

function newMemory(): Memory {
  for (const maximum of MAX_PAGES) {
    try {
      const made = new WebAssembly.Memory({ initial: 1, maximum, shared: true });
      made.grow(FIRST_PAGES - 1);
      new Uint32Array(made.buffer)[0] = FIRST_FREE;
      return made;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  throw new OutOfMemory(
    'the system does not let this program reserve the addresses that it needs, 11 GB of them; allow more (ulimit -v, LimitAS= of systemd), or have Node.js reserve less with NODE_OPTIONS=--disable-wasm-trap-handler',
  );
}

function instantiate(): Loops {
  const module = new WebAssembly.Module(CODE);
  const imports = { env: { memory: ownMemory() }, table: tableImports };
  return new WebAssembly.Instance(module, imports).exports as Loops;
}

/// The memory of this thread, for another to `joinMemory`.
export function sharedMemory(): object {
  return ownMemory();
}

/// True if this thread has a memory, or there is room for one.
export function hasMemory(): boolean {
  try {
    ownMemory();
    return true;
  } catch (error) {
    if (error instanceof OutOfMemory) return false;
    throw error;
  }
}

/// From now on this thread works in the memory of another. Comes before anything is put into its own.
export function joinMemory(of: object): void {
  memory = of as Memory;
  loops = undefined;
}

/// The loops, working for no table.
export function theLoops(): Loops {
  loops ??= instantiate();
  return loops;
}

/// The loops, from now on working for the table of this owner.
export function loopsFor(of: TableOwner): Loops {
  owner = of;
  return theLoops();
}

/// Large blocks are as long as a power of two: of few lengths, so that tables of another size can have them
/// again. What is not used of one takes no memory.
const LARGE_BYTES = 1 << 22;

/// What begins so far behind a block's beginning begins at a cache line as well.
export function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

function lengthFor(bytes: number): number {
  return bytes < LARGE_BYTES ? aligned(bytes) : 2 ** Math.ceil(Math.log2(bytes));
}

/// Zeroes in the memory of the loops. A view does not keep its block: whoever has one holds the `Block` as well,
/// or the bytes are given to somebody else.
export class Block implements Place {
  readonly buffer: ArrayBufferLike;
  readonly at: number;
  readonly isInLoops = true;
  private readonly bytes: number;

  constructor(bytes: number) {
    this.bytes = lengthFor(bytes);
    const again = spare.get(this.bytes)?.pop();
    this.at = again ?? takeFree(this.bytes);
    this.buffer = ownMemory().buffer;
    if (again !== undefined) new Uint8Array(this.buffer, again, bytes).fill(0);
    forgotten.register(this, { at: this.at, bytes: this.bytes }, this);
  }

  /// It may be used again at once: V8's collector does not see how much memory a forgotten one takes, and tells
  /// of those only between turns of the event loop.
  giveBack(): void {
    if (forgotten.unregister(this)) keep(this.at, this.bytes);
  }
}

/// Blocks that nobody uses, by their length; those of a thread that ends go to another with the same memory.
export type SpareBlocks = [bytes: number, at: number[]][];

export function handOverSpare(): SpareBlocks {
  const given = [...spare];
  spare.clear();
  return given;
}

/// The same, divided among so many threads.
export function divideSpare(threads: number): SpareBlocks[] {
  const given = handOverSpare();
  return Array.from({ length: threads }, (_, thread) =>
    given.map(([bytes, places]) => [bytes, places.filter((_, i) => i % threads === thread)]),
  );
}

export function takeOverSpare(given: SpareBlocks): void {
  for (const [bytes, places] of given) for (const at of places) keep(at, bytes);
}

function takeFree(bytes: number): number {
  const memory = ownMemory();
  const first = new Uint32Array(memory.buffer, 0, 1);
  for (;;) {
    const at = Atomics.load(first, 0);
    // Comes before the place is taken: what does not fit leaves the room to what is smaller.
    growTo(memory, at + bytes);
    if (Atomics.compareExchange(first, 0, at, at + bytes) === at) return at;
  }
}

function growTo(memory: Memory, end: number): void {
  // Another thread may have made it larger, which this one need not have noticed: more does no harm.
  const missing = () => Math.ceil((end - memory.buffer.byteLength) / PAGE_BYTES);
  try {
    while (missing() > 0) memory.grow(missing());
  } catch (error) {
    // At the end of all addresses more does not fit, and this thread may just not know that there is enough.
    if (missing() <= 0) return;
    const message = `the system gives no more memory than the ${memory.buffer.byteLength} bytes that are in use; take less with --memory or --jobs, or allow more (ulimit -v)`;
    throw error instanceof RangeError ? new OutOfMemory(message) : error;
  }
}

/// Words in a block.
export function wordsOf(block: Block, length: number): Int32Array {
  return new Int32Array(block.buffer, block.at, length);
}
