/// Words in the memory of the loops.

export function word(block: usize, at: i32): i32 {
  return load<i32>(block + ((<usize>at) << 2));
}

export function setWord(block: usize, at: i32, value: i32): void {
  store<i32>(block + ((<usize>at) << 2), value);
}

export function addWord(block: usize, at: i32, value: i32): void {
  setWord(block, at, word(block, at) + value);
}

/// The word of a packet in a column of its batch: `packet` is where its first column is, `column` their length in bytes.
export function field(packet: usize, column: usize, number: i32): i32 {
  return load<i32>(packet + column * <usize>number);
}

/// Two and four bytes in the order of the network.
export function short(at: usize): i32 {
  return <i32>bswap<u16>(load<u16>(at));
}

export function long(at: usize): i32 {
  return bswap<i32>(load<i32>(at));
}
