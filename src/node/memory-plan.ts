/// What may be kept follows from one number, the memory budget. The arithmetic
/// is explained in docs/performance.md.

import type { EngineLimits } from '../engine.js';
import { DEFAULT_FLOW_LIMITS } from '../flow/flow-tracker.js';
import { DEFAULT_FRAGMENT_LIMITS } from '../wire/limits.js';

const MIB = 1_048_576;

export const DEFAULT_MEMORY_BYTES = 256 * MIB;

/// Less would not even hold the program.
export const MIN_MEMORY_BYTES = 64 * MIB;

/// Node, the program and its read buffers (measured: a capture with eight flows
/// takes 68 MB, of which some is garbage not collected yet).
const PROGRAM_BYTES = 56 * MIB;

/// A thread: its heap, code and read buffers, and what it may keep without asking (measured).
const THREAD_BYTES = 40 * MIB;
const SMALL_BYTES = 8 * MIB;

/// Of a thread's heap: a young generation of the usual 48 MB makes it larger and not faster (measured).
export const THREAD_RESOURCES = { maxYoungGenerationSizeMb: 24 };

/// What the limits in flow/ and wire/limits.ts come to: 72 MiB of table, 14 for TCP flows, 9 for
/// others, 8 of kept bytes, 4 of fragments, 13 of garbage. They are those of the usual budget.
const FULL_BYTES = 120 * MIB;

/// Of what the program leaves, the part that one analysis may have alone when
/// several threads run.
const LARGE_SHARE = 0.6;

/// A table of one gigabyte; its words are addressed with 32 bits.
const MOST_FLOWS = 2 ** 24;

/// What one analysis may have at least: with less, flows that are still going on
/// are given up again and again.
const LEAST_BYTES = 16 * MIB;

export interface MemoryPlan {
  /// Most threads that the budget allows; with one there are no further ones.
  threads: number;
  /// What one analysis may keep. Depends on the budget alone, not on the threads.
  limits: EngineLimits;
  /// What every analysis of several may keep; only one at a time may keep more.
  smallLimits: EngineLimits;
}

export function planMemory(memoryBytes: number): MemoryPlan {
  const left = memoryBytes - PROGRAM_BYTES;
  const large = Math.max(LEAST_BYTES, left * LARGE_SHARE);
  return {
    threads: Math.max(1, Math.floor((left - large) / THREAD_BYTES)),
    limits: limitsFor(large),
    // Most captures have few flows at a time, but some that are busy: less table, more of the rest.
    smallLimits: { ...limitsFor(1.5 * SMALL_BYTES), maxFlows: limitsFor(SMALL_BYTES / 2).maxFlows },
  };
}

function limitsFor(bytes: number): EngineLimits {
  const share = (limit: number) => Math.floor((limit * bytes) / FULL_BYTES);
  return {
    ...DEFAULT_FLOW_LIMITS,
    maxFlows: Math.min(share(DEFAULT_FLOW_LIMITS.maxFlows), MOST_FLOWS),
    maxFollowedFlows: share(DEFAULT_FLOW_LIMITS.maxFollowedFlows),
    maxFollowedDatagramFlows: share(DEFAULT_FLOW_LIMITS.maxFollowedDatagramFlows),
    maxKeptBytes: share(DEFAULT_FLOW_LIMITS.maxKeptBytes),
    fragments: { ...DEFAULT_FRAGMENT_LIMITS, maxBytes: share(DEFAULT_FRAGMENT_LIMITS.maxBytes) },
  };
}
