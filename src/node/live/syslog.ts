/// Syslog (RFC 5424) over UDP, TCP with octet counting (RFC 6587) and TLS
/// (RFC 5425), or by way of logger(1) to the system's own.

import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect as connectTcp, isIP, isIPv6, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import type { Destination } from './delivery.js';

/// Facility `daemon` (3), severity `warning` (4).
const PRIORITY = 3 * 8 + 4;
const PRIORITY_NAME = 'daemon.warning';

const TIMEOUT_MS = 10_000;

const DEFAULT_PORTS = { 'udp:': 514, 'tcp:': 601, 'tls:': 6514 } as const;
type Transport = keyof typeof DEFAULT_PORTS;

/// Where to: `local`, or host and port. Undefined for anything that is neither.
export type SyslogTarget = 'local' | { transport: Transport; host: string; port: number };

export function parseSyslogTarget(text: string): SyslogTarget | undefined {
  if (text === 'local') return 'local';
  // URL drops the ports that it holds for usual, none of which are ours.
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !(url.protocol in DEFAULT_PORTS) || url.hostname === '') return undefined;
  if (/^\/?$/.exec(url.pathname) === null || url.search !== '' || url.username !== '') return undefined;
  const transport = url.protocol as Transport;
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { transport, host, port: url.port === '' ? DEFAULT_PORTS[transport] : Number(url.port) };
}

/// `<28>1 2026-11-23T01:01:58.123Z sensor sealert 4711 - - text`
export function syslogMessage(line: string, now: Date): string {
  const text = line.trimEnd();
  return `<${PRIORITY}>1 ${now.toISOString()} ${hostname() || '-'} sealert ${process.pid} - - ${text}`;
}

/// `ca` are the certificates (PEM) to trust instead of those that Node knows; for TLS only.
export function syslogDestination(target: SyslogTarget, ca?: string): Destination {
  if (target === 'local') return new LocalSyslog();
  return target.transport === 'udp:' ? new UdpSyslog(target) : new StreamSyslog(target, ca);
}

type Remote = Exclude<SyslogTarget, 'local'>;

function nameOf({ transport, host, port }: Remote): string {
  return `syslog ${transport}//${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

class LocalSyslog implements Destination {
  readonly name = 'the local syslog (logger)';

  async deliver(line: string): Promise<void> {
    const args = ['-t', 'sealert', '-p', PRIORITY_NAME, '--', line.trimEnd()];
    await promisify(execFile)('logger', args, { timeout: TIMEOUT_MS });
  }

  async close(): Promise<void> {}
}

/// A datagram for each line; nobody says whether it arrives.
class UdpSyslog implements Destination {
  readonly name: string;

  constructor(private readonly remote: Remote) {
    this.name = nameOf(remote);
  }

  async deliver(line: string): Promise<void> {
    const { address, family } = await lookup(this.remote.host);
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    try {
      const message = Buffer.from(syslogMessage(line, new Date()));
      await new Promise<void>((done, fail) => {
        socket.on('error', fail);
        socket.send(message, this.remote.port, address, (error) => (error ? fail(error) : done()));
      });
    } finally {
      socket.close();
    }
  }

  async close(): Promise<void> {}
}

/// One connection for all lines, made again after it broke.
class StreamSyslog implements Destination {
  readonly name: string;
  private socket: Socket | undefined;

  constructor(
    private readonly remote: Remote,
    private readonly ca?: string,
  ) {
    this.name = nameOf(remote);
  }

  async open(): Promise<void> {
    await this.connected();
  }

  async deliver(line: string): Promise<void> {
    const socket = await this.connected();
    const message = Buffer.from(syslogMessage(line, new Date()));
    await new Promise<void>((done, fail) => {
      const closed = () => fail(new Error('the connection was closed'));
      socket.once('close', closed);
      socket.write(`${message.length} ${message}`, (error) => {
        socket.off('close', closed);
        if (error) fail(error);
        else done();
      });
    });
  }

  async close(): Promise<void> {
    const { socket } = this;
    if (socket === undefined || socket.destroyed) return;
    socket.end();
    await Promise.race([once(socket, 'close'), new Promise((resolve) => setTimeout(resolve, 1_000).unref())]);
    socket.destroy();
  }

  private async connected(): Promise<Socket> {
    if (this.socket !== undefined && !this.socket.destroyed) return this.socket;
    const { transport, host, port } = this.remote;
    const isTls = transport === 'tls:';
    const socket = isTls
      ? connectTls({
          host,
          port,
          ...(isIP(host) === 0 ? { servername: host } : {}),
          ...(this.ca ? { ca: this.ca } : {}),
        })
      : connectTcp(port, host);
    socket.setTimeout(TIMEOUT_MS, () => {
      if (this.socket !== socket) socket.destroy(Object.assign(new Error(), { code: 'ETIMEDOUT' }));
    });
    await once(socket, isTls ? 'secureConnect' : 'connect');
    socket.setTimeout(0);
    // Whoever writes is told; an error at another time only means a new connection.
    socket.on('error', () => {});
    // A collector that goes away is noticed even while nothing is written.
    socket.resume();
    this.socket = socket;
    return socket;
  }
}
