/// The hash of a flow's ends, as `wire/packet-batch.ts` makes it too.

export function hashMore(hash: i32, a: i32, b: i32): i32 {
  return mix(mix(hash ^ a) ^ b);
}

export function hashOfKey(ofAddresses: i32, ports: i32, key: i32): i32 {
  return mix(ofAddresses ^ (ports * 0x9e3779b1) ^ key);
}

/// The finaliser of MurmurHash3 (32 bit): every input bit changes every output bit.
function mix(hash: i32): i32 {
  let h = <u32>hash;
  h = (h ^ (h >> 16)) * 0x85ebca6b;
  h = (h ^ (h >> 13)) * 0xc2b2ae35;
  return <i32>(h ^ (h >> 16));
}
