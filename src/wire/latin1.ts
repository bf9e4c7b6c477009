/// As many bytes are given to a function at once; many more would not fit on its stack.
const PIECE_BYTES = 8192;

/// Bytes [start, end) as text, one character a byte (ISO 8859-1); what was captured is never trusted to be more. The
/// bytes are given to the function as they are: spread out they are walked one by one, five times as long (measured).
export function latin1(bytes: Uint8Array, start = 0, end = bytes.length): string {
  let text = '';
  for (let at = start; at < end; at += PIECE_BYTES) {
    const piece = bytes.subarray(at, Math.min(end, at + PIECE_BYTES));
    text += Reflect.apply(String.fromCharCode, undefined, piece);
  }
  return text;
}
