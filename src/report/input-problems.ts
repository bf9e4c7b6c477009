/// What to tell a person about inputs that were damaged or could not be read.

import type { Damage, Input } from './model.js';
import { printable } from './text.js';
import { formatCount, formatPlural } from './units.js';

/// A sentence on why nothing could be read from the input, or undefined if something could.
export function unreadableSentence({ path, error }: Input): string | undefined {
  return error === undefined ? undefined : endSentence(`${printable(path)}: ${printable(error)}`);
}

/// Places of damage that are told one by one; the JSON report has more.
const MAX_SENTENCES = 8;

/// A sentence for every place where the input was broken: where, why, what was
/// lost, and at the end what was analysed all the same.
export function damageSentences(input: Input): string[] {
  const { path, packets, damage, damageLeftOut } = input;
  const sentences = damage.slice(0, MAX_SENTENCES).map((place) => damageSentence(input, place));
  const places = damage.length - sentences.length + (damageLeftOut?.places ?? 0);
  if (places > 0) {
    const lost = [...damage.slice(MAX_SENTENCES), ...(damageLeftOut === undefined ? [] : [damageLeftOut])]
      .map(({ bytesLost }) => bytesLost)
      .reduce((sum, bytes) => sum + bytes, 0);
    sentences.push(
      `${printable(path)}: damaged in ${formatPlural(places, 'more place')}, ${formatPlural(lost, 'byte')} could not be read there.`,
    );
  }
  if (damage.length > 0) {
    const kept =
      packets > 0
        ? `${formatPlural(packets, 'packet')} could be read and analysed`
        : 'no packet could be read';
    sentences.push(`${sentences.pop()} ${capitalize(kept)}.`);
  }
  return sentences;
}

/// Where, between which packets, why, and what was lost.
function damageSentence({ path, packets }: Input, damage: Damage): string {
  const { offset, reason, bytesLost, afterFrame, to } = damage;
  const after = afterFrame > 0 && afterFrame < packets ? ` (after frame ${formatCount(afterFrame)})` : '';
  const where = `${printable(path)}: damaged at byte ${formatCount(offset)}${after}: ${printable(reason)}`;
  if (bytesLost === 0) return endSentence(where);
  const end = to === null ? '' : '; reading went on after them';
  return `${endSentence(where)} ${formatPlural(bytesLost, 'byte')} could not be read${end}.`;
}

/// A sentence for everything else that the input lacks: packets that the recording
/// side lost, jumps of the clock, limits that were hit.
export function lossSentences({
  path,
  droppedByCapture = 0,
  clockJumps = [],
  limitsHit = {},
}: Input): string[] {
  const sentences: string[] = [];
  const name = printable(path);
  if (droppedByCapture > 0) {
    sentences.push(`${name}: the recording side lost ${formatPlural(droppedByCapture, 'packet')}.`);
  }
  const [first] = clockJumps;
  if (first !== undefined) {
    const more = clockJumps.length > 1 ? ', and elsewhere' : '';
    sentences.push(
      `${name}: the clock jumps by ${formatSigned(first.seconds)} s at frame ${formatCount(first.frame)}${more}; times across it are not to be trusted.`,
    );
  }
  for (const [limit, count] of Object.entries(limitsHit)) {
    sentences.push(
      `${name}: the limit ${printable(limit)} was hit ${formatPlural(count, 'time')} (docs/limits.md).`,
    );
  }
  return sentences;
}

function formatSigned(seconds: number): string {
  const sign = seconds < 0 ? '-' : '+';
  return sign + formatCount(Math.round(Math.abs(seconds)));
}

function endSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
