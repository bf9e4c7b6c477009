/// A tunnel of which it is not known how its records are protected, or who is
/// the client: the likely ways of reading it, side by side.

import type { FlowWeight } from '../flow/flow-weight.js';
import type { RecordProtection } from '../wire/tls-suites.js';
import type { TlsSessionProfile } from './profile.js';
import { Tunnel } from './tunnel.js';

/// What a reading takes (measured).
const READING_BYTES = 1_500;

/// One way of reading the lengths and the sides.
export interface TunnelReading {
  protection: RecordProtection;
  /// The end that was taken for the client is the server.
  reversed: boolean;
  tunnel: Tunnel;
}

export class TunnelReadings {
  private readonly readings: readonly TunnelReading[];

  constructor(
    beginUs: number,
    profile: TlsSessionProfile,
    protections: readonly RecordProtection[],
    sidesKnown: boolean,
    weight: FlowWeight,
  ) {
    this.readings = (sidesKnown ? [false] : [false, true]).flatMap((reversed) =>
      protections.map((protection) => ({ protection, reversed, tunnel: new Tunnel(beginUs, profile) })),
    );
    weight.add(this.readings.length * READING_BYTES);
  }

  /// Takes the next application record; `length` is its length field.
  record(fromClient: boolean, length: number, timeUs: number, frame: number): void {
    for (const { tunnel, reversed, protection } of this.readings) {
      tunnel.record(fromClient !== reversed, length, protection, timeUs, frame);
    }
  }

  /// False if in no reading anything of what a tunnel does was seen.
  get promising(): boolean {
    return this.readings.some(({ tunnel }) => tunnel.promising);
  }

  /// The reading in which most of what a tunnel does was seen; the first of equals.
  get best(): TunnelReading {
    return this.readings.reduce((left, right) => (left.tunnel.weight >= right.tunnel.weight ? left : right));
  }

  /// The tunnel of the same reading with client and server changed over; null where they are known.
  reversed({ protection, reversed }: TunnelReading): Tunnel | null {
    const other = this.readings.find(
      (reading) => reading.protection === protection && reading.reversed !== reversed,
    );
    return other?.tunnel ?? null;
  }
}
