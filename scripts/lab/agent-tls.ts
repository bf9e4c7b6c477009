/** TLS settings that the lab's own servers and clients share. */
import { constants } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect, type SecureContextOptions, type TLSSocket } from 'node:tls';

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
  /** An HTTP proxy to go through. */
  readonly proxy?: { readonly address: string; readonly port: number };
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

/** A TLS connection, through the proxy if there is one. */
export async function openTls(settings: TlsClient, protocols: string[]): Promise<TLSSocket> {
  const options = clientOptions(settings, protocols);
  const { proxy, address, port } = settings;
  const socket = proxy
    ? connect({ ...options, socket: await askProxy(proxy, `${address}:${port}`) })
    : connect(options);
  await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  return socket;
}

function askProxy(proxy: { address: string; port: number }, target: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectPlain(proxy.port, proxy.address);
    socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\nUser-Agent: Mozilla/5.0\r\n\r\n`);
    socket.once('error', reject);
    socket.once('data', (data) => {
      if (data.toString('latin1', 9, 12) === '200') resolve(socket);
      else reject(new Error(`the proxy says ${data.toString('latin1', 0, 40)}`));
    });
  });
}

export function ready(): void {
  console.log('ready');
}
