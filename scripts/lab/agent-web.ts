/** An HTTPS server that answers /N with N bytes, and a client that fetches and posts after a plan. */
import { Agent, createServer, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { clientOptions, ready, serverContext, type TlsClient, type TlsServer } from './agent-tls.js';
import { Random } from './random.js';

type Range = readonly [number, number];

/** Ranges of bytes and milliseconds from which each request draws. */
export interface WebPlan {
  readonly connections: number;
  /** Requests of each connection; with `fresh` each of them opens a connection of its own. */
  readonly requests: number;
  readonly fresh?: boolean;
  readonly up?: Range;
  readonly down: Range;
  readonly pause: Range;
  /** The server answers only after this time. */
  readonly wait?: Range;
}

export function webServer(settings: TlsServer): void {
  const random = new Random(settings.seed);
  const server = createServer(serverContext(settings), (incoming, response) => {
    incoming.resume().on('end', async () => {
      const [, size, wait] = (incoming.url ?? '/0').split('/').map(Number);
      await sleep(wait ?? 0);
      const text = random.text(Math.min(size || 0, 4000));
      const body = text.repeat(Math.ceil((size || 0) / 4000)).slice(0, size || 0);
      response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': body.length });
      response.end(body);
    });
  });
  server.keepAliveTimeout = 90_000;
  server.listen(settings.port, settings.address, ready);
}

export async function webClient(settings: TlsClient & WebPlan) {
  const counts = { requests: 0, received: 0 };
  const { connections, requests, fresh, up, down, pause, wait } = settings;
  const end = Date.now() + settings.seconds * 1000;
  const loops = Array.from({ length: connections }, async (_, index) => {
    const random = new Random(settings.seed + index);
    const draw = ([low, high]: Range) => random.int(low, high);
    const agent = new Agent({ keepAlive: !fresh, maxSockets: 1 });
    await sleep(random.int(0, 400));
    for (let turn = 0; turn < requests && Date.now() < end; turn++) {
      const path = `/${draw(down)}/${wait ? draw(wait) : 0}`;
      const body = up ? random.text(Math.min(draw(up), 4000)).repeat(Math.ceil(draw(up) / 4000)) : '';
      counts.received += await fetchOne(settings, agent, path, body);
      counts.requests += 1;
      await sleep(draw(pause));
    }
    agent.destroy();
  });
  await Promise.all(loops);
  return counts;
}

function fetchOne(settings: TlsClient, agent: Agent, path: string, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const target = clientOptions(settings, ['http/1.1']);
    const headers = body ? { 'Content-Length': body.length } : {};
    const method = body ? 'POST' : 'GET';
    const outgoing = request({ ...target, method, path, headers, agent }, (response) => {
      let length = 0;
      response.on('data', (data) => {
        length += data.length;
      });
      response.on('end', () => resolve(length));
    });
    outgoing.on('error', reject);
    outgoing.end(body, 'latin1');
  });
}
