/// SoftEther VPN in network captures: `scan` reads captures and returns the
/// report, the writers turn it into text. The report is described by
/// `softether-alert/report-v1.schema.json`.

export type { Generation } from './detect/findings.js';
export { OutOfMemory } from './node/few-addresses.js';
export { type Progress, type ReaderName, type ScanOptions, scan } from './node/scan.js';
export type {
  Carrier,
  Connection,
  ConnectionRole,
  CounterEvidence,
  Damage,
  Diagnostics,
  Endpoint,
  Evidence,
  FrameReference,
  Input,
  Report,
  ServerEntry,
  Session,
  Sighting,
  Verdict,
} from './report/model.js';
export { isAtLeast, SCHEMA_VERSION, VERDICTS } from './report/model.js';
export { FORMATS, type Format, loadWriter, type WriteOptions, type Writer } from './report/writer.js';
