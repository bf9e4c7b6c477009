/// The counts for Prometheus (text format 0.0.4), for this machine only.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { LiveStatus } from './status.js';

const LOOPBACK = '127.0.0.1';

const METRICS: readonly [
  name: string,
  kind: 'counter' | 'gauge',
  help: string,
  of: (now: LiveStatus) => number,
][] = [
  ['packets_total', 'counter', 'Packets analysed.', ({ packets }) => packets],
  ['bytes_total', 'counter', 'Bytes of these packets on the wire.', ({ bytes }) => bytes],
  ['flows_total', 'counter', 'Flows seen.', ({ flows }) => flows],
  [
    'dropped_by_kernel_total',
    'counter',
    'Packets the operating system dropped.',
    ({ dropped }) => dropped.kernel,
  ],
  ['dropped_by_tool_total', 'counter', 'Packets the capture tool dropped.', ({ dropped }) => dropped.tool],
  ['sessions_total', 'counter', 'SoftEther sessions reported.', ({ sessions }) => sessions],
  [
    'capture_interruptions_total',
    'counter',
    'Times that a capture ended early.',
    ({ interruptions }) => interruptions,
  ],
  ['devices_capturing', 'gauge', 'Devices being captured on.', ({ capturing }) => capturing.length],
  ['resident_memory_bytes', 'gauge', 'Memory of the process.', ({ memoryBytes }) => memoryBytes],
];

export function metricsText(now: LiveStatus): string {
  const lines = METRICS.flatMap(([name, kind, help, of]) => [
    `# HELP sealert_${name} ${help}`,
    `# TYPE sealert_${name} ${kind}`,
    `sealert_${name} ${of(now)}`,
  ]);
  return `${lines.join('\n')}\n`;
}

/// Rejects with the system's error if the port cannot be had.
export async function serveMetrics(port: number, status: () => LiveStatus): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') response.writeHead(404).end();
    else response.setHeader('content-type', 'text/plain; version=0.0.4').end(metricsText(status()));
  });
  server.listen(port, LOOPBACK);
  await once(server, 'listening');
  return server;
}
