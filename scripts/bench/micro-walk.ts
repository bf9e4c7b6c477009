/** What the TLS record walk costs, on streams made up of records of one length. */
import { TlsRecordWalk } from '#sealert/flow/tls-records.js';
import { median, table } from './table.js';
import { RECORD_APPLICATION_DATA } from './tls-messages.js';

const STREAM_BYTES = 16 << 20;
const SEGMENT_BYTES = 1460;
const HEADER_BYTES = 5;
/** Bodies: a key press, a message, the longest record of TLS 1.3. */
const BODIES = [40, 400, 16_401];

export function walkTable(rounds: number): string {
  const rows = BODIES.map((body) => {
    const records = Math.floor(STREAM_BYTES / (HEADER_BYTES + body));
    const stream = streamOf(records, body);
    const segments = Math.ceil(stream.length / SEGMENT_BYTES);
    const times = Array.from({ length: rounds + 1 }, () => walk(stream, records));
    // The first lets the compiler see it.
    const ns = median(times.slice(1));
    return [String(body), String(records), (ns / records).toFixed(1), (ns / segments).toFixed(1)];
  });
  return table(['bytes in a record', 'records', 'ns per record', `ns per ${SEGMENT_BYTES} bytes`], rows);
}

function streamOf(records: number, body: number): Uint8Array {
  const stream = new Uint8Array(records * (HEADER_BYTES + body));
  for (let at = 0; at < stream.length; at += HEADER_BYTES + body) {
    stream.set([RECORD_APPLICATION_DATA, 3, 3, body >>> 8, body & 0xff], at);
  }
  return stream;
}

/** Nanoseconds of a walk over the stream, segment by segment. */
function walk(stream: Uint8Array, records: number): number {
  let told = 0;
  const walker = new TlsRecordWalk({
    record: () => {
      told++;
    },
    handshakeBytes: () => {},
    notTls: () => {},
  });
  const begin = performance.now();
  for (let at = 0; at < stream.length; at += SEGMENT_BYTES) {
    walker.bytes(stream, at, Math.min(SEGMENT_BYTES, stream.length - at), 0, 1);
  }
  const ns = (performance.now() - begin) * 1e6;
  if (told !== records) throw new Error(`${told} TLS records were told of ${records}`);
  return ns;
}
