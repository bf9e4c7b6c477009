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

/// How many of how many were found.
export interface Share {
  part: number;
  whole: number;
}

/// What the captures with sessions of one carrier gave together.
export interface Recall {
  /// `all` for those of every carrier, the last row.
  carrier: string;
  captures: Share;
  sessions: Share;
  connections: Share;
  tcp: Share;
  falseConnections: number;
}

/// A row for each carrier, by name, and one for all.
export function recallByCarrier(scores: readonly Score[]): Recall[] {
  const positives = scores.filter((score) => score.label === 'session');
  const carriers = [...new Set(positives.map((score) => score.carrier))].sort();
  const rows = carriers.map((carrier) =>
    recall(
      carrier,
      positives.filter((score) => score.carrier === carrier),
    ),
  );
  return [...rows, recall('all', positives)];
}

function recall(carrier: string, scores: readonly Score[]): Recall {
  const sum = (amount: (score: Score) => number) => scores.reduce((total, score) => total + amount(score), 0);
  return {
    carrier,
    captures: { part: sum((s) => (s.sessionsFound === s.sessions ? 1 : 0)), whole: scores.length },
    sessions: { part: sum((s) => s.sessionsFound), whole: sum((s) => s.sessions) },
    connections: { part: sum((s) => s.connectionsFound), whole: sum((s) => s.connections) },
    tcp: { part: sum((s) => s.tcpFound), whole: sum((s) => s.tcp) },
    falseConnections: sum((s) => s.falseConnections.length),
  };
}
