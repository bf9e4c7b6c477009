import type { Verdict } from '#sealert/detect/findings.js';

/// What one capture gave.
export interface Score {
  name: string;
  carrier: string;
  label: string;
  sessions: number;
  sessionsFound: number;
  connections: number;
  connectionsFound: number;
  tcp: number;
  tcpFound: number;
  falseConnections: string[];
  verdicts: Verdict[];
}
