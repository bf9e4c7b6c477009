/// The tunnel without encryption: after the log-in the stream leaves TLS and
/// goes on with blocks (Connection.c: ConnectionSend, ConnectionReceive).
///
///     BE32 count (1 ..), then count times: BE32 size, frame of that size
///     BE32 0xffffffff, BE32 size (0 .. 511), that many random bytes    keep-alive
///
/// Constant state; the walk stops at the first thing that is no block.

const WORD_BYTES = 4;
const KEEP_ALIVE = 0xffff_ffff;

/// Connection.c: MAX_SEND_SOCKET_QUEUE_NUM bounds a block's frames to 128; more leaves room.
const MAX_FRAMES = 512;

/// Cedar.h: MAX_PACKET_SIZE 1,600; a frame that does not compress grows a little.
const MAX_FRAME_BYTES = 1_700;
/// The least that zlib makes of anything.
const MIN_FRAME_BYTES = 8;
/// Cedar.h: MAX_KEEPALIVE_SIZE.
const MAX_KEEP_ALIVE_BYTES = 512;

/// True if a block can begin like this, told by its first eight bytes.
export function beginsLikeBlock(bytes: Uint8Array, at: number, length: number): boolean {
  if (length < 2 * WORD_BYTES) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 2 * WORD_BYTES);
  const first = view.getUint32(0, false);
  const second = view.getUint32(WORD_BYTES, false);
  if (first === KEEP_ALIVE) return second < MAX_KEEP_ALIVE_BYTES;
  return first >= 1 && first <= MAX_FRAMES && second >= MIN_FRAME_BYTES && second <= MAX_FRAME_BYTES;
}

type Expecting = 'count' | 'frame size' | 'keep-alive size';

export class PlainBlockWalk {
  /// Blocks whose headers were read, keep-alives included.
  blocks = 0;
  keepAlives = 0;
  frames = 0;
  broken = false;
  private expecting: Expecting = 'count';
  private framesLeft = 0;
  private bodyLeft = 0;
  private word = 0;
  private wordHave = 0;

  reset(): void {
    this.blocks = 0;
    this.keepAlives = 0;
    this.frames = 0;
    this.broken = false;
    this.expecting = 'count';
    this.framesLeft = 0;
    this.bodyLeft = 0;
    this.word = 0;
    this.wordHave = 0;
  }

  bytes(bytes: Uint8Array, start: number, length: number): void {
    let at = start;
    const end = start + length;
    while (at < end && !this.broken) {
      if (this.bodyLeft > 0) {
        const taken = Math.min(this.bodyLeft, end - at);
        this.bodyLeft -= taken;
        at += taken;
        continue;
      }
      this.word = ((this.word << 8) | bytes[at++]!) >>> 0;
      if (++this.wordHave === WORD_BYTES) {
        this.wordHave = 0;
        this.takeWord(this.word);
      }
    }
  }

  /// Bytes that were not captured: harmless inside a frame.
  missing(length: number): void {
    if (this.wordHave === 0 && length <= this.bodyLeft) this.bodyLeft -= length;
    else this.broken = true;
  }

  private takeWord(value: number): void {
    switch (this.expecting) {
      case 'count':
        if (value === KEEP_ALIVE) this.expecting = 'keep-alive size';
        else if (value >= 1 && value <= MAX_FRAMES) {
          this.framesLeft = value;
          this.expecting = 'frame size';
        } else this.broken = true;
        return;
      case 'keep-alive size':
        if (value > MAX_KEEP_ALIVE_BYTES) this.broken = true;
        else {
          this.blocks++;
          this.keepAlives++;
          this.bodyLeft = value;
          this.expecting = 'count';
        }
        return;
      case 'frame size':
        if (value < MIN_FRAME_BYTES || value > MAX_FRAME_BYTES) this.broken = true;
        else {
          this.frames++;
          this.bodyLeft = value;
          if (--this.framesLeft === 0) {
            this.blocks++;
            this.expecting = 'count';
          }
        }
    }
  }
}
