/// Writes captures in every variant that the readers know, and broken ones.

/// A frame as a test gives it, and as `readFrames` returns it.
export interface TestFrame {
  bytes: Uint8Array;
  timeUs: number;
  /// Length on the wire; that of `bytes` if left out.
  originalLen?: number;
}

/// Appends numbers in one byte order.
export class ByteWriter {
  private readonly parts: Uint8Array[] = [];
  length = 0;

  constructor(readonly littleEndian: boolean) {}

  raw(bytes: Uint8Array): this {
    this.parts.push(bytes);
    this.length += bytes.length;
    return this;
  }

  u16(value: number): this {
    return this.number(2, (view) => view.setUint16(0, value, this.littleEndian));
  }

  u32(value: number): this {
    return this.number(4, (view) => view.setUint32(0, value, this.littleEndian));
  }

  u64(value: bigint): this {
    return this.number(8, (view) => view.setBigUint64(0, value, this.littleEndian));
  }

  pad(toMultiple: number): this {
    return this.raw(new Uint8Array((toMultiple - (this.length % toMultiple)) % toMultiple));
  }

  bytes(): Uint8Array {
    return joined(this.parts);
  }

  private number(size: number, set: (view: DataView) => void): this {
    const bytes = new Uint8Array(size);
    set(new DataView(bytes.buffer));
    return this.raw(bytes);
  }
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return joined(parts);
}

/// The same of more parts than a call may have arguments.
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export interface PcapOptions {
  littleEndian?: boolean;
  nanoseconds?: boolean;
  /// Alexey Kuznetsov's record header, 8 bytes longer.
  modified?: boolean;
  /// Bytes that other variants have between record header and packet.
  extraBytes?: number;
  /// One of IXIA's, with their longer file header.
  ixiaMagic?: number;
  /// Whatever the rest would ask for.
  magic?: number;
  linkType?: number;
  version?: readonly [major: number, minor: number];
  /// Before version 2.4 some writers stored the two lengths the other way round.
  swapLengths?: boolean;
}

/// Bytes of the file header, and of a record header in front of each packet.
export const PCAP_HEADER_BYTES = 24;
export const PCAP_RECORD_BYTES = 16;

export function pcap(frames: readonly TestFrame[], options: PcapOptions = {}): Uint8Array {
  const { littleEndian = true, nanoseconds = false, modified = false, linkType = 1 } = options;
  const [major, minor] = options.version ?? [2, 4];
  const { extraBytes = modified ? 8 : 0, ixiaMagic } = options;
  const magic = options.magic ?? ixiaMagic ?? (modified ? 0xa1b2cd34 : nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4);
  const out = new ByteWriter(littleEndian);
  out.u32(magic).u16(major).u16(minor).u32(0).u32(0).u32(262_144).u32(linkType);
  if (ixiaMagic !== undefined) out.u32(0);
  for (const { bytes, timeUs, originalLen = bytes.length } of frames) {
    const seconds = Math.floor(timeUs / 1e6);
    const us = timeUs - seconds * 1e6;
    const lengths = [bytes.length, originalLen];
    if (options.swapLengths) lengths.reverse();
    // Half a microsecond more, which readers round down.
    out.u32(seconds).u32(nanoseconds ? us * 1000 + 500 : us);
    out.u32(lengths[0]!).u32(lengths[1]!);
    out.raw(new Uint8Array(extraBytes).fill(0xee));
    out.raw(bytes);
  }
  return out.bytes();
}

/// Sun snoop, big-endian; `drops` is the count in every record.
export function snoop(frames: readonly TestFrame[], datalink = 4, drops = 0): Uint8Array {
  const out = new ByteWriter(false).u32(0x736e_6f6f).u32(0x7000_0000).u32(2).u32(datalink);
  for (const { bytes, timeUs, originalLen = bytes.length } of frames) {
    const seconds = Math.floor(timeUs / 1e6);
    const padded = bytes.length + (-bytes.length & 3);
    out
      .u32(originalLen)
      .u32(bytes.length)
      .u32(24 + padded)
      .u32(drops);
    out
      .u32(seconds)
      .u32(timeUs - seconds * 1e6)
      .raw(bytes)
      .pad(4);
  }
  return out.bytes();
}

/// A pcapng option: its code and its value, padded on writing.
export type Option = readonly [code: number, value: Uint8Array];

export interface InterfaceOptions {
  linkType?: number;
  snapLen?: number;
  tsresol?: number;
  /// Seconds that are added to every time.
  tsoffset?: bigint;
  name?: string;
  options?: readonly Option[];
}

export interface PacketOptions {
  interface?: number;
  /// The time in ticks of the interface.
  ticks?: bigint;
  originalLen?: number;
  /// What the block claims instead of the length of the bytes.
  capturedLen?: number;
  options?: readonly Option[];
}

/// Builds a pcapng file block by block.
export class PcapngBuilder {
  private readonly out: Uint8Array[] = [];
  /// Bytes written so far: where the next block will begin.
  length = 0;

  constructor(private littleEndian = true) {}

  /// Begins a section; everything after it is in this byte order.
  section(littleEndian = this.littleEndian, version: readonly [number, number] = [1, 0]): this {
    this.littleEndian = littleEndian;
    const [major, minor] = version;
    return this.block(0x0a0d0d0a, (body) => {
      body.u32(0x1a2b3c4d).u16(major).u16(minor).u64(0xffff_ffff_ffff_ffffn);
    });
  }

  interface(description: InterfaceOptions = {}): this {
    const { linkType = 1, snapLen = 262_144, tsresol, tsoffset, name, options = [] } = description;
    return this.block(1, (body) => {
      const all: Option[] = [];
      if (name !== undefined) all.push([2, new TextEncoder().encode(name)]);
      if (tsresol !== undefined) all.push([9, Uint8Array.of(tsresol)]);
      if (tsoffset !== undefined) all.push([14, this.number64(BigInt.asUintN(64, tsoffset))]);
      body.u16(linkType).u16(0).u32(snapLen);
      writeOptions(body, [...all, ...options]);
    });
  }

  /// An enhanced packet block.
  packet(bytes: Uint8Array, packet: PacketOptions = {}): this {
    return this.block(6, (body) => {
      body.u32(packet.interface ?? 0);
      this.writePacket(body, bytes, packet);
    });
  }

  /// A packet block, which the enhanced one replaced.
  obsoletePacket(bytes: Uint8Array, packet: PacketOptions = {}, drops = 0xffff): this {
    return this.block(2, (body) => {
      body.u16(packet.interface ?? 0).u16(drops);
      this.writePacket(body, bytes, packet);
    });
  }

  simplePacket(bytes: Uint8Array, originalLen = bytes.length): this {
    return this.block(3, (body) => {
      body.u32(originalLen).raw(bytes).pad(4);
    });
  }

  /// An interface statistics block with its drop counts.
  statistics(id: number, counts: { ifdrop?: bigint; osdrop?: bigint }): this {
    return this.block(5, (body) => {
      const all: Option[] = [];
      if (counts.ifdrop !== undefined) all.push([5, this.number64(counts.ifdrop)]);
      if (counts.osdrop !== undefined) all.push([7, this.number64(counts.osdrop)]);
      body.u32(id).u32(0).u32(0);
      writeOptions(body, all);
    });
  }

  /// Any block; `length` is what its trailing length field claims if it lies.
  block(type: number, write: (body: ByteWriter) => void, trailingLength?: number): this {
    const body = new ByteWriter(this.littleEndian);
    write(body);
    body.pad(4);
    const length = body.length + 12;
    const block = new ByteWriter(this.littleEndian).u32(type).u32(length).raw(body.bytes());
    return this.raw(block.u32(trailingLength ?? length).bytes());
  }

  raw(bytes: Uint8Array): this {
    this.out.push(bytes);
    this.length += bytes.length;
    return this;
  }

  bytes(): Uint8Array {
    return concat(...this.out);
  }

  private writePacket(body: ByteWriter, bytes: Uint8Array, packet: PacketOptions): void {
    const { ticks = 0n, options = [] } = packet;
    body.u32(Number(ticks >> 32n)).u32(Number(ticks & 0xffff_ffffn));
    body.u32(packet.capturedLen ?? bytes.length).u32(packet.originalLen ?? bytes.length);
    body.raw(bytes).pad(4);
    writeOptions(body, options);
  }

  private number64(value: bigint): Uint8Array {
    return new ByteWriter(this.littleEndian).u64(value).bytes();
  }
}

function writeOptions(body: ByteWriter, options: readonly Option[]): void {
  if (options.length === 0) return;
  for (const [code, value] of options) body.u16(code).u16(value.length).raw(value).pad(4);
  body.u32(0);
}

/// The frames as pcapng with one interface that names itself, in microseconds.
export function pcapng(frames: readonly TestFrame[], littleEndian = true, linkType = 1): Uint8Array {
  const builder = new PcapngBuilder(littleEndian).section().interface({ name: 'test0', linkType });
  for (const { bytes, timeUs, originalLen = bytes.length } of frames) {
    builder.packet(bytes, { ticks: BigInt(timeUs), originalLen });
  }
  return builder.bytes();
}
