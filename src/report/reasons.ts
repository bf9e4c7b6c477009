/// Why a session is believed to be one, in a few lines.

import type { Evidence, FrameReference, Report, Session } from './model.js';
import { encapsulationName } from './names.js';
import { printable, shorten } from './text.js';

const STRENGTHS: readonly Evidence['strength'][] = ['decisive', 'strong', 'supporting'];

const MAX_LINES = 2;
/// What speaks against a session or limits it is said in full; a bound all the same.
const MAX_REMARK_LINES = 5;
const MAX_FRAMES = 4;

/// Cells for the label and the numbers of the frames.
const REASON_EXTRAS = 44;

/// The session's id, what its packets travel in, the strongest evidence with the numbers of its first
/// frames, and everything that speaks against it or limits it. Each is
/// printable and bounded in lines of `width` cells, but not wrapped.
export function reasonTexts(session: Session, report: Report, width: number): string[] {
  const lines = [`Session ${printable(session.id)}`];
  if (session.encapsulation !== undefined) {
    lines.push(`Inside: ${session.encapsulation.map(encapsulationName).join(', ')}`);
  }
  const strongest = strongestEvidence(session);
  if (strongest !== undefined) {
    const others = session.evidence.filter((one) => one !== strongest).map(({ feature }) => feature);
    const more = others.length > 0 ? `; also ${printable(others.join(', '))}` : '';
    const detail = shorten(printable(strongest.detail), MAX_LINES * width - REASON_EXTRAS);
    lines.push(`Because: ${detail}${framesText(strongest.frames, report)}${more}`);
  }
  const against = session.against.map(({ detail }) => `Against: ${detail}`);
  const caveats = session.caveats.map((caveat) => `Caveat: ${caveat}`);
  for (const remark of [...against, ...caveats])
    lines.push(shorten(printable(remark), MAX_REMARK_LINES * width));
  return lines;
}

function strongestEvidence({ evidence }: Session): Evidence | undefined {
  for (const strength of STRENGTHS) {
    const found = evidence.find((one) => one.strength === strength);
    if (found !== undefined) return found;
  }
  return undefined;
}

/// ` (frames 4, 6, 8)`, with the path where the report has several inputs.
function framesText(frames: readonly FrameReference[], { inputs }: Report): string {
  const [first] = frames;
  if (first === undefined) return '';
  const numbers = frames.filter(({ input }) => input === first.input).map(({ frame }) => frame);
  const shown = numbers.slice(0, MAX_FRAMES).join(', ');
  const more = frames.length > Math.min(numbers.length, MAX_FRAMES) ? ', ...' : '';
  const path =
    inputs.length > 1 ? ` of ${printable(inputs[first.input]?.path ?? `input ${first.input}`)}` : '';
  return ` (${frames.length === 1 ? 'frame' : 'frames'} ${shown}${more}${path})`;
}
