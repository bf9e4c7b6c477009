/// The first application records of a flow, both directions in one order.

const LOG_RECORDS = 48;

/// entry i: who sent it, its length field, when and in which frame it began
export class RecordLog {
  count = 0;
  // Plain arrays: most logs end after a few records, and a typed array is an
  // allocation outside the heap each (measured with `npm run bench`).
  readonly fromClient: number[] = [];
  readonly length: number[] = [];
  readonly timeUs: number[] = [];
  readonly frame: number[] = [];

  get full(): boolean {
    return this.count === LOG_RECORDS;
  }

  add(fromClient: boolean, length: number, timeUs: number, frame: number): void {
    const i = this.count++;
    this.fromClient[i] = fromClient ? 1 : 0;
    this.length[i] = length;
    this.timeUs[i] = timeUs;
    this.frame[i] = frame;
  }
}
