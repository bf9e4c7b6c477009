/**
 * A WebSocket application that logs in first, all in one TLS connection: two
 * POSTs with answers of about the sizes of a SoftEther log-in, then small
 * messages both ways at random times. The hardest look-alike of the lab.
 */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:https';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { openTls, ready, serverContext, type TlsClient, type TlsServer } from './agent-tls.js';
import { Random } from './random.js';

const TEXT = 1;
const PING = 9;
const PONG = 10;

function frame(opcode: number, payload: Buffer, masked: boolean): Buffer {
  const maskBit = masked ? 0x80 : 0;
  const long = payload.length > 125;
  const head = long
    ? Buffer.from([0x80 | opcode, maskBit | 126, payload.length >> 8, payload.length & 0xff])
    : Buffer.from([0x80 | opcode, maskBit | payload.length]);
  if (!masked) return Buffer.concat([head, payload]);
  const mask = randomBytes(4);
  const hidden = payload.map((byte, index) => byte ^ mask[index % 4]!);
  return Buffer.concat([head, mask, hidden]);
}

/** Sends messages until `end`; gaps and sizes differ between the two sides. */
async function chatter(socket: Socket, random: Random, end: number, masked: boolean): Promise<number> {
  let sent = 0;
  while (Date.now() < end && !socket.destroyed) {
    const size = random.chance(0.15) ? random.int(400, 1400) : random.int(10, 300);
    socket.write(frame(TEXT, Buffer.from(random.text(size)), masked));
    sent += 1;
    await sleep(random.pick([100, 300, 1000, 3000, 5000]) * (0.6 + 0.8 * random.next()));
  }
  return sent;
}

/** The lab's frames are short and arrive whole, so the first byte of a read tells the frame's kind. */
function answerPings(socket: Socket, masked: boolean): void {
  socket.on('data', (data: Buffer) => {
    if ((data[0]! & 0x0f) === PING) socket.write(frame(PONG, Buffer.from('tick'), masked));
  });
}

export function webSocketServer(settings: TlsServer & { seconds: number }): void {
  const random = new Random(settings.seed);
  const server = createServer(serverContext(settings), (incoming, response) => {
    incoming.resume().on('end', () => {
      const size = incoming.url === '/login' ? random.int(700, 1200) : random.int(2100, 2900);
      const body = random.text(size);
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length });
      response.end(body);
    });
  });
  server.on('upgrade', (_, socket: Socket) => {
    socket.on('error', () => {});
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    answerPings(socket, false);
    const timer = setInterval(
      () => socket.write(frame(PING, Buffer.from('tick'), false)),
      random.int(4000, 7000),
    );
    socket.on('close', () => clearInterval(timer));
    void chatter(socket, random, Date.now() + settings.seconds * 1000, false);
  });
  server.listen(settings.port, settings.address, ready);
}

/** Sends a request and waits for the whole answer. */
function exchange(socket: TLSSocket, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const take = (data: Buffer) => {
      answer += data.toString('latin1');
      const head = answer.indexOf('\r\n\r\n');
      if (head < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(answer)?.[1] ?? 0);
      if (answer.length < head + 4 + length) return;
      socket.off('data', take);
      resolve(answer.slice(0, 12));
    };
    socket.on('data', take);
    socket.once('error', reject);
    socket.write(text, 'latin1');
  });
}

async function oneConnection(
  settings: TlsClient & { login?: boolean },
  index: number,
): Promise<{ answers: string[]; sent: number }> {
  const random = new Random(settings.seed + index);
  await sleep(index * 1200);
  const socket = await openTls(settings, ['http/1.1']);
  const host = settings.serverName ?? settings.address;
  const post = (path: string, size: number) => {
    const body = random.text(size);
    return `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${size}\r\n\r\n${body}`;
  };
  const answers: string[] = [];
  if (settings.login !== false) {
    answers.push(await exchange(socket, post('/login', random.int(1500, 2600))));
    answers.push(await exchange(socket, post('/session', random.int(2600, 3300))));
  }
  const upgrade = `GET /live HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n`;
  answers.push(await exchange(socket, upgrade));
  answerPings(socket, true);
  const sent = await chatter(socket, random, Date.now() + settings.seconds * 1000, true);
  socket.end();
  await sleep(200);
  return { answers, sent };
}

export async function webSocketClient(settings: TlsClient & { connections: number; login?: boolean }) {
  const all = Array.from({ length: settings.connections }, (_, index) => oneConnection(settings, index));
  return { connections: await Promise.all(all) };
}
