/// Bulk packets carry the tunnel's frames after the log-in. Their keys are
/// inside the TLS, but each nonce is taken from the packet before.
/// Source: S4 and S5 Network.c RUDPBulkSend. Recorded: version 1 with 5.01.9674, 2 with 4.44.9807.

import type { ChainShape } from '../chain-links.js';

export const BULK_SHAPES: readonly [ChainShape, ChainShape] = [
  // Signature 20, IV 20 = the last 20 bytes of the packet before.
  { name: 'v1', nonceAt: 20, nonceBytes: 20, sourceAt: -20 },
  // Nonce 12 = the 12 bytes before the tag (16) of the packet before.
  { name: 'v2', nonceAt: 0, nonceBytes: 12, sourceAt: -28 },
];
