/// The first application records of a flow, both directions in one order.

const LOG_RECORDS = 48;

/// entry i: who sent it, its length field, when and in which frame it began
export class RecordLog {
  count = 0;
  readonly fromClient = new Uint8Array(LOG_RECORDS);
  readonly length = new Uint16Array(LOG_RECORDS);
  readonly timeUs = new Float64Array(LOG_RECORDS);
  readonly frame = new Uint32Array(LOG_RECORDS);

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
