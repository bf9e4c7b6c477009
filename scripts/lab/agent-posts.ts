/**
 * HTTPS with POSTs in kept connections. Two habits: "twin", whose request and
 * answer sizes lie where a SoftEther log-in has them, and "agent", a program
 * that reports in every few seconds.
 */
import { Agent, createServer, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { clientOptions, ready, serverContext, type TlsClient, type TlsServer } from './agent-tls.js';
import { Random } from './random.js';

type Habit = 'twin' | 'agent';

function answerSize(random: Random, habit: Habit): number {
  if (habit === 'agent') return random.int(50, 1500);
  return random.chance(0.6) ? random.int(300, 1300) : random.int(2000, 3800);
}

export function postsServer(settings: TlsServer & { habit: Habit }): void {
  const random = new Random(settings.seed);
  const server = createServer({ ...serverContext(settings), keepAlive: true }, (incoming, response) => {
    incoming.resume().on('end', () => {
      const body = JSON.stringify({ ok: true, data: random.text(answerSize(random, settings.habit)) });
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length });
      response.end(body);
    });
  });
  server.keepAliveTimeout = 60_000;
  server.listen(settings.port, settings.address, ready);
}

async function post(settings: TlsClient, agent: Agent, path: string, body: string): Promise<number> {
  return await new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length };
    const target = clientOptions(settings, ['http/1.1']);
    const outgoing = request({ ...target, method: 'POST', path, headers, agent }, (response) => {
      let length = 0;
      response.on('data', (data) => {
        length += data.length;
      });
      response.on('end', () => resolve(length));
    });
    outgoing.on('error', reject);
    // As text and in one call, so that head and body leave in one record.
    outgoing.end(body, 'latin1');
  });
}

export async function postsClient(settings: TlsClient & { habit: Habit; connections: number }) {
  const counts = { requests: 0, received: 0 };
  const loops = Array.from({ length: settings.connections }, async (_, index) => {
    await sleep(index * 1200);
    const random = new Random(settings.seed + index);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const end = Date.now() + settings.seconds * 1000 - index * 1200;
    for (let turn = 0; Date.now() < end; turn++) {
      const [low, high] = settings.habit === 'twin' || turn === 0 ? [1400, 3500] : [60, 2400];
      const body = JSON.stringify({ jsonrpc: '2.0', id: turn, params: random.text(random.int(low!, high!)) });
      counts.received += await post(settings, agent, turn === 0 ? '/api/login' : '/api/rpc', body);
      counts.requests += 1;
      if (settings.habit === 'agent') await sleep(random.int(4000, 6000));
      else if (turn > 1) await sleep(random.int(200, 2600));
    }
    agent.destroy();
  });
  await Promise.all(loops);
  return counts;
}
