/// What a capture lacks, and which sessions suffer from it.

import type { Session } from './findings.js';
import { rfc3339 } from './rfc3339.js';

/// Microseconds since 1970 between two neighbouring packets; NaN where there is none.
interface Span {
  fromUs: number;
  toUs: number;
}

export interface LostPart extends Span {
  offset: number;
  bytesLost: number;
  afterFrame: number;
}

export interface ClockJump extends Span {
  /// The number of the first frame after it.
  frame: number;
}

/// What is known of one capture besides its packets.
export interface CaptureLosses {
  damage: readonly LostPart[];
  /// Packets that the recording side says it lost; null if it does not say.
  dropped: number | null;
  clockJumps: readonly ClockJump[];
}

/// A session is never silent for longer than half its time-out, which is 60 s
/// at most (facts: GenNextKeepAliveSpan): what was lost so near to it may be its own.
const MAX_SILENCE_US = 30_000_000;

/// The most caveats of one kind; a capture that is damaged all over says it of the first places.
const MAX_OF_A_KIND = 3;

/// Adds to the sessions of a capture what its losses mean for them.
export function addCaveats(sessions: readonly Session[], losses: CaptureLosses): void {
  const { damage, dropped, clockJumps } = losses;
  for (const session of sessions) {
    const near = damage.filter((part) => touches(session, part, MAX_SILENCE_US));
    const jumps = clockJumps.filter((jump) => touches(session, jump, 0));
    session.caveats.push(
      ...near.slice(0, MAX_OF_A_KIND).map(damageCaveat),
      ...jumps.slice(0, MAX_OF_A_KIND).map(jumpCaveat),
    );
    if (near.length > MAX_OF_A_KIND) {
      session.caveats.push(`The capture is damaged in ${near.length} places within the time of the session.`);
    }
    if (dropped !== null && dropped > 0) {
      session.caveats.push(`The capture's own drop counter says that ${dropped} packets were lost.`);
    }
  }
}

/// True if the session may have had packets within `marginUs` of the span; NaN leaves a side open.
function touches({ start, end }: Session, { fromUs, toUs }: Span, marginUs: number): boolean {
  // The later may come first where the clock went back.
  const [from, to] = toUs < fromUs ? [toUs, fromUs] : [fromUs, toUs];
  const isOver = !Number.isNaN(from) && end < rfc3339(from - marginUs);
  const isToCome = !Number.isNaN(to) && start > rfc3339(to + marginUs);
  return !isOver && !isToCome;
}

function damageCaveat({ offset, bytesLost, afterFrame, toUs }: LostPart): string {
  const where = `The capture is damaged at byte ${offset}, after frame ${afterFrame}`;
  if (Number.isNaN(toUs)) return `${where}: what came later is missing.`;
  if (bytesLost === 0) return `${where}: packets may be missing there.`;
  return `${where}: the packets in ${bytesLost} bytes are missing.`;
}

function jumpCaveat({ frame, fromUs, toUs }: ClockJump): string {
  const seconds = Math.round((toUs - fromUs) / 1e6);
  return `The clock of the capture jumps by ${seconds} s at frame ${frame}: times and durations across it are not to be trusted.`;
}
