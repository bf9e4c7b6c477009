/// Makes text from captures and paths safe to show in a terminal, and fits it
/// into a given width. A host name or a file name may hold escape sequences
/// that move the cursor, set the window title or reverse the reading order;
/// nothing of that kind may reach a table, a log line or a message.

/// The characters that a terminal would obey or hide: control, format,
/// surrogate, private and unassigned ones, line and paragraph separators, and
/// everything that is drawn as nothing.
export const UNSAFE_CHARACTERS = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/// `text` with every character that a terminal would obey or hide written as a
/// visible escape: `\x1b`, `\u202e`, `\u{e0041}`. For display only: a text that
/// holds a literal `\x1b` looks the same. JSON keeps the exact text.
export function printable(text: string): string {
  return text.replace(UNSAFE_CHARACTERS, escapeCharacter);
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0)!;
  const hex = code.toString(16);
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`;
}

// The ranges that terminals draw two cells wide: UAX #11 "W" and "F" as
// is-fullwidth-code-point 3 has them, which cli-table3 pads with, and emoji.
const WIDE =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3040-\u3247\u3250-\u4dbf\u4e00-\ua4c6\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6\u{1b000}-\u{1b001}\u{1f200}-\u{1f251}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]/u;
const COMBINING = /[\u0300-\u036f]/;

function characterWidth(character: string): number {
  if (character >= ' ' && character <= '~') return 1;
  if (WIDE.test(character)) return 2;
  return COMBINING.test(character) ? 0 : 1;
}

/// The number of terminal cells that printable text takes.
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/// Printable text as lines of at most `width` cells (at least 2), broken at
/// spaces, and inside a word only where the word alone is wider than a line.
/// Lines after the first begin with `indent` spaces.
export function wrap(text: string, width: number, indent = 0): string[] {
  const lines: string[] = [];
  const margin = ' '.repeat(indent);
  let line = '';
  let used = 0;
  const breakLine = () => {
    lines.push(line);
    line = margin;
    used = indent;
  };
  for (const word of text.split(' ')) {
    const wordWidth = displayWidth(word);
    const isLineStart = line === '' || line === margin;
    if (!isLineStart) {
      if (used + 1 + wordWidth <= width) {
        line += ' ';
        used++;
      } else breakLine();
    }
    for (const character of word) {
      const cells = characterWidth(character);
      if (used + cells > width) breakLine();
      line += character;
      used += cells;
    }
  }
  lines.push(line);
  return lines;
}

/// `text`, or its first words and ` ...` if it is longer than `limit` characters.
export function shorten(text: string, limit: number): string {
  const characters = [...text];
  if (characters.length <= limit) return text;
  const beginning = characters.slice(0, limit - 4);
  const lastSpace = characters[limit - 4] === ' ' ? -1 : beginning.lastIndexOf(' ');
  // A long word is cut all the same.
  const words = lastSpace > beginning.length / 2 ? beginning.slice(0, lastSpace) : beginning;
  return `${words.join('')} ...`;
}
