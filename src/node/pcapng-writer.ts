/// Frames out as pcapng (draft-ietf-opsawg-pcapng): one section, little-endian,
/// an interface for each source and link type, times in microseconds.

import { type FrameBatch, LINKTYPE_NO_PACKET } from '../capture/frame-batch.js';

const BLOCK_SECTION_HEADER = 0x0a0d0d0a;
const BLOCK_INTERFACE = 1;
const BLOCK_INTERFACE_STATISTICS = 5;
const BLOCK_ENHANCED_PACKET = 6;

const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const SECTION_LENGTH_UNKNOWN = 0xffff_ffff;

const OPTION_END = 0;
const OPTION_COMMENT = 1;
const OPTION_SHB_USERAPPL = 4;
const OPTION_IF_NAME = 2;
const OPTION_ISB_OSDROP = 7;

/// Block type, two lengths, interface, time, captured and original length.
const ENHANCED_PACKET_BYTES = 32;

const FIRST_ROOM_BYTES = 65_536;
const TWO_TO_32 = 2 ** 32;

export interface SectionTexts {
  /// The program that writes.
  application: string;
  comment?: string;
}

/// Collects blocks until they are taken. The first ones are the section header.
export class PcapngWriter {
  private bytes = new Uint8Array(FIRST_ROOM_BYTES);
  private view = new DataView(this.bytes.buffer);
  private at = 0;
  /// The numbers of the interfaces, by link type and name.
  private readonly interfaces = new Map<number, Map<string, number>>();
  private interfaceCount = 0;

  constructor({ application, comment }: SectionTexts) {
    this.block(BLOCK_SECTION_HEADER, () => {
      this.u32(BYTE_ORDER_MAGIC);
      this.u16(1);
      this.u16(0);
      this.u32(SECTION_LENGTH_UNKNOWN);
      this.u32(SECTION_LENGTH_UNKNOWN);
      this.textOption(OPTION_SHB_USERAPPL, application);
      if (comment !== undefined) this.textOption(OPTION_COMMENT, comment);
      this.u32(OPTION_END);
    });
  }

  /// Bytes that wait to be taken.
  get length(): number {
    return this.at;
  }

  /// Adds entry `i` of the batch as a packet of the interface with this name;
  /// an entry without a packet adds nothing.
  add(batch: FrameBatch, i: number, name: string): void {
    const linkType = batch.linkType[i]!;
    if (linkType === LINKTYPE_NO_PACKET) return;
    const id = this.interfaceFor(name, linkType);
    const offset = batch.offset[i]!;
    const captured = batch.capturedLen[i]!;
    const timeUs = batch.timeUs[i]!;
    const padded = captured + (-captured & 3);
    const length = ENHANCED_PACKET_BYTES + padded;
    this.reserve(length);
    const { view, at } = this;
    view.setUint32(at, BLOCK_ENHANCED_PACKET, true);
    view.setUint32(at + 4, length, true);
    view.setUint32(at + 8, id, true);
    view.setUint32(at + 12, Math.floor(timeUs / TWO_TO_32), true);
    view.setUint32(at + 16, timeUs % TWO_TO_32, true);
    view.setUint32(at + 20, captured, true);
    view.setUint32(at + 24, batch.originalLen[i]!, true);
    this.bytes.set(batch.bytes.subarray(offset, offset + captured), at + 28);
    this.bytes.fill(0, at + 28 + captured, at + 28 + padded);
    view.setUint32(at + length - 4, length, true);
    this.at += length;
  }

  /// Says how many packets the operating system dropped on the interfaces of this name.
  addDropped(name: string, dropped: number, timeUs: number): void {
    const id = [...this.interfaces.values()]
      .map((names) => names.get(name))
      .find((known) => known !== undefined);
    if (id === undefined) return;
    this.block(BLOCK_INTERFACE_STATISTICS, () => {
      this.u32(id);
      this.u32(Math.floor(timeUs / TWO_TO_32));
      this.u32(timeUs % TWO_TO_32);
      this.u16(OPTION_ISB_OSDROP);
      this.u16(8);
      this.u32(dropped % TWO_TO_32);
      this.u32(Math.floor(dropped / TWO_TO_32));
      this.u32(OPTION_END);
    });
  }

  /// The blocks since the last call; the caller owns them.
  take(): Uint8Array {
    const taken = this.bytes.slice(0, this.at);
    this.at = 0;
    return taken;
  }

  private interfaceFor(name: string, linkType: number): number {
    let names = this.interfaces.get(linkType);
    if (names === undefined) {
      names = new Map();
      this.interfaces.set(linkType, names);
    }
    let id = names.get(name);
    if (id === undefined) {
      id = this.interfaceCount++;
      names.set(name, id);
      this.block(BLOCK_INTERFACE, () => {
        this.u16(linkType);
        this.u16(0);
        // No limit on the length of packets: each says itself whether it was cut.
        this.u32(0);
        this.textOption(OPTION_IF_NAME, name);
        this.u32(OPTION_END);
      });
    }
    return id;
  }

  private block(type: number, writeBody: () => void): void {
    const start = this.at;
    this.u32(type);
    this.u32(0);
    writeBody();
    const length = this.at + 4 - start;
    this.u32(length);
    this.view.setUint32(start + 4, length, true);
  }

  private textOption(code: number, text: string): void {
    const bytes = Buffer.from(text);
    this.u16(code);
    this.u16(bytes.length);
    this.reserve(bytes.length + 3);
    this.bytes.set(bytes, this.at);
    this.bytes.fill(0, this.at + bytes.length, this.at + bytes.length + 3);
    this.at += bytes.length + (-bytes.length & 3);
  }

  private u16(value: number): void {
    this.reserve(2);
    this.view.setUint16(this.at, value, true);
    this.at += 2;
  }

  private u32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.at, value, true);
    this.at += 4;
  }

  private reserve(more: number): void {
    if (this.at + more <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.at + more));
    larger.set(this.bytes.subarray(0, this.at));
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }
}
