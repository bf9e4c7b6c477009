import { newDiagnostics, type Report, SCHEMA_VERSION } from '../report/model.js';
import { VERSION } from './version.js';

/// The report of a run that begins now, with nothing in it yet.
export function newReport(command: string): Report {
  const now = new Date().toISOString();
  return {
    schemaVersion: SCHEMA_VERSION,
    tool: { name: 'sealert', version: VERSION },
    run: { command, startedAt: now, finishedAt: now, complete: false, otherFiles: 0 },
    inputs: [],
    sessions: [],
    sightings: [],
    servers: [],
    diagnostics: newDiagnostics(),
  };
}
