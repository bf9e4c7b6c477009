/// What one thread tells another arrives as plain data: gives it its classes back.

import { restoreProtection } from '../wire/tls-suites.js';
import type { TlsConnection } from './connection.js';
import { RecordLog } from './record-log.js';
import { Tunnel } from './tunnel.js';

/// A connection that was copied by the structured clone algorithm.
export function restoreConnection(copied: TlsConnection): TlsConnection {
  const { log, tunnel, reversedTunnel, protection } = copied;
  return {
    ...copied,
    log: Object.assign(new RecordLog(), log),
    tunnel: restoreTunnel(tunnel),
    reversedTunnel: reversedTunnel && restoreTunnel(reversedTunnel),
    protection: restoreProtection(protection),
  };
}

function restoreTunnel(copied: Tunnel): Tunnel {
  return Object.assign(Object.create(Tunnel.prototype), copied);
}
