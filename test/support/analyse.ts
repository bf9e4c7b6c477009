/// Captures through the project's engine.

import { CaptureReader } from '#sealert/capture/reader.js';
import type { Session } from '#sealert/detect/findings.js';
import { Engine, type EngineOptions, type Findings } from '#sealert/engine.js';
import { readerPool } from '#sealert/node/buffer-pool.js';

/// What the engine finds in a capture.
export function analyse(capture: Uint8Array, options: EngineOptions = {}): Findings {
  const engine = new Engine(options);
  const buffers = readerPool.take();
  try {
    engine.begin(0);
    const reader = new CaptureReader((batch) => engine.push(batch), buffers);
    reader.push(capture);
    reader.end();
    return engine.end();
  } finally {
    readerPool.give(buffers);
    engine.dispose();
  }
}

/// What of a session must stay the same however its packets were recorded:
/// everything but evidence texts, frame numbers and packet counts.
export function essence({ id, verdict, client, server, start, connections, evidence }: Session) {
  return {
    id,
    verdict,
    client,
    server,
    start,
    connections: connections.map(({ role, client, communityId }) => ({ role, client, communityId })),
    evidence: evidence.map(({ feature }) => feature),
  };
}
