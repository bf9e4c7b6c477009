/// What to tell a person about inputs that were damaged or could not be read.

import type { Damage, Input } from './model.js';
import { printable } from './text.js';
import { formatCount, formatPlural } from './units.js';

/// A sentence on why nothing could be read from the input, or undefined if something could.
export function unreadableSentence({ path, error }: Input): string | undefined {
  return error === undefined ? undefined : endSentence(`${printable(path)}: ${printable(error)}`);
}

/// A sentence for every place where the input was broken: where, why, what was
/// lost, and what was analysed all the same.
export function damageSentences(input: Input): string[] {
  return input.damage.map((damage) => damageSentence(input, damage));
}

function damageSentence({ path, packets }: Input, { offset, reason, bytesLost }: Damage): string {
  const where = `${printable(path)}: damaged at byte ${formatCount(offset)}: ${printable(reason)}`;
  const lost = bytesLost > 0 ? `${formatPlural(bytesLost, 'byte')} could not be read; ` : '';
  const kept =
    packets > 0 ? `${formatPlural(packets, 'packet')} could be read and analysed` : 'no packet could be read';
  return `${endSentence(where)} ${capitalize(lost + kept)}.`;
}

function endSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
