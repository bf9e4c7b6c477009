/** TLS settings that the lab's own servers and clients share. */
import { constants } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { SecureContextOptions } from 'node:tls';

export interface TlsServer {
  readonly address: string;
  readonly port: number;
  readonly key: string;
  readonly chain: string;
  readonly version: '1.2' | '1.3';
  readonly statefulTickets: boolean;
  readonly seed: number;
}

export interface TlsClient {
  readonly address: string;
  readonly port: number;
  readonly serverName?: string;
  readonly alpn: boolean;
  readonly seconds: number;
  readonly seed: number;
}

export function serverContext(settings: TlsServer): SecureContextOptions {
  return {
    key: readFileSync(settings.key),
    cert: readFileSync(settings.chain),
    minVersion: 'TLSv1.2',
    maxVersion: `TLSv${settings.version}`,
    secureOptions: settings.statefulTickets ? constants.SSL_OP_NO_TICKET : 0,
  };
}

/** The lab's certificates are throw-away ones: the client does not ask who signed them. */
export function clientOptions(settings: TlsClient, protocols: string[]) {
  return {
    host: settings.address,
    port: settings.port,
    rejectUnauthorized: false,
    ...(settings.serverName ? { servername: settings.serverName } : { servername: '' }),
    ...(settings.alpn ? { ALPNProtocols: protocols } : {}),
  };
}

export function ready(): void {
  console.log('ready');
}
