/// Takes unpacked bytes and is done with them when it returns. What it throws ends the unpacking.
export type TakeBytes = (bytes: Uint8Array) => void;
