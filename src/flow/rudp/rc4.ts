/// RC4 (RFC 6229 has its test vectors). Broken as a cipher, and what R-UDP uses;
/// here it only takes off what anybody with the first packet can take off.

const STATE_BYTES = 256;

export class Rc4 {
  private readonly state = new Uint8Array(STATE_BYTES);
  private i = 0;
  private j = 0;

  /// Begins a key stream; `key` has 1 to 256 bytes.
  setKey(key: Uint8Array): void {
    const { state } = this;
    for (let i = 0; i < STATE_BYTES; i++) state[i] = i;
    for (let i = 0, j = 0; i < STATE_BYTES; i++) {
      j = (j + state[i]! + key[i % key.length]!) & 0xff;
      const swapped = state[i]!;
      state[i] = state[j]!;
      state[j] = swapped;
    }
    this.i = 0;
    this.j = 0;
  }

  /// Writes `length` bytes from `at` on, encrypted or decrypted, to the start of `out`.
  apply(bytes: Uint8Array, at: number, length: number, out: Uint8Array): void {
    const { state } = this;
    let { i, j } = this;
    for (let n = 0; n < length; n++) {
      i = (i + 1) & 0xff;
      const a = state[i]!;
      j = (j + a) & 0xff;
      const b = state[j]!;
      state[i] = b;
      state[j] = a;
      out[n] = bytes[at + n]! ^ state[(a + b) & 0xff]!;
    }
    this.i = i;
    this.j = j;
  }
}
