/** Plain servers and clients: the web server inside tunnels, and an echo protocol for wrappers such as stunnel. */
import { createSocket } from 'node:dgram';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ready } from './agent-tls.js';
import { Random } from './random.js';

interface Listener {
  readonly address: string;
  readonly port: number;
}

/** Answers any request for /N with N bytes. */
export function tunnelWeb({ address, port }: Listener): void {
  const server = createHttpServer((request, response) => {
    request.resume().on('end', () => {
      response.end('x'.repeat(Number(request.url?.slice(1)) || 0));
    });
  });
  server.listen(port, address, ready);
}

/** A UDP service that hears and never answers. */
export function mute({ address, port }: Listener): void {
  createSocket('udp4').bind(port, address, ready);
}

export function echoServer({ address, port }: Listener): void {
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  server.listen(port, address, ready);
}

/** Types as a person would: mostly short lines, now and then a long one, sometimes nothing for a while. */
export async function echoClient(settings: Listener & { seconds: number; seed: number }) {
  const random = new Random(settings.seed);
  const socket = connect(settings.port, settings.address).setNoDelay(true);
  let received = 0;
  let lines = 0;
  socket.on('data', (data) => {
    received += data.length;
  });
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  const end = Date.now() + settings.seconds * 1000;
  while (Date.now() < end) {
    const length = random.chance(0.3) ? random.int(500, 3500) : random.int(2, 120);
    socket.write(random.text(length));
    lines += 1;
    await sleep(random.pick([150, 400, 800, 2500]) * (0.5 + random.next()));
  }
  socket.end();
  await sleep(300);
  return { lines, received };
}
