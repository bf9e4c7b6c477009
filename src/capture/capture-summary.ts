/// What a reader learned about a capture besides its frames.

export type CaptureFormat = 'pcap' | 'pcapng' | 'snoop';

/// A place where the capture was broken. Offsets and lengths are bytes of the
/// uncompressed capture.
export interface CaptureDamage {
  offset: number;
  reason: string;
  bytesLost: number;
  /// The number of the last frame before it; 0 if there is none.
  afterFrame: number;
  /// Microseconds since 1970 of the last packet before and the first after it; NaN if there is none.
  fromUs: number;
  toUs: number;
}

/// An interface as a pcapng section describes it. `tsresol` and `offsetSeconds`
/// go to `tickConverter`; a `snapLen` of 0 means no limit.
export interface CaptureInterface {
  linkType: number;
  snapLen: number;
  tsresol: number;
  offsetSeconds: number;
}

export interface CaptureSummary {
  /// Null until enough bytes were seen, and if they are no capture.
  format: CaptureFormat | null;
  /// True if times were recorded finer than microseconds; they are rounded down.
  finerThanMicroseconds: boolean;
  /// The interfaces of all pcapng sections, in the order of their description.
  interfaces: CaptureInterface[];
  bytes: number;
  /// Frames that hold a packet.
  packets: number;
  /// Microseconds since 1970 of the first and the last packet in file order; NaN without packets.
  firstUs: number;
  lastUs: number;
  /// Packets the recording side reports as lost, or null where it does not say.
  dropped: number | null;
  /// At most MAX_DAMAGE_LISTED places, in file order.
  damage: CaptureDamage[];
  /// Places beyond those, and the bytes lost there.
  damageLeftOut: { places: number; bytesLost: number };
  /// Limits that the file hit (`limits.ts`), by name, and how often.
  limitsHit: Record<string, number>;
  /// Why the bytes are no capture: what was found and what was expected.
  notACapture: string | null;
}

export function newSummary(): CaptureSummary {
  return {
    format: null,
    finerThanMicroseconds: false,
    interfaces: [],
    bytes: 0,
    packets: 0,
    firstUs: Number.NaN,
    lastUs: Number.NaN,
    dropped: null,
    damage: [],
    damageLeftOut: { places: 0, bytesLost: 0 },
    limitsHit: {},
    notACapture: null,
  };
}

/// Counts that the file hit a limit.
export function noteLimit({ limitsHit }: CaptureSummary, name: string): void {
  limitsHit[name] = (limitsHit[name] ?? 0) + 1;
}
