/** What a remote desktop looks like: a short negotiation, TLS, small inputs up and graphics down. */
import { randomBytes } from 'node:crypto';
import { connect as connectPlain, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, TLSSocket } from 'node:tls';
import { clientOptions, ready, serverContext, type TlsClient, type TlsServer } from './agent-tls.js';
import { Random } from './random.js';

/** X.224 connection request and confirm with the wish for TLS ([MS-RDPBCGR] 2.2.1.1 and 2.2.1.2). */
const REQUEST = Buffer.from('030000130ee000000000000100080003000000', 'hex');
const CONFIRM = Buffer.from('030000130ed000001234000200080001000000', 'hex');

/** Log-in sizes of client and server in turn, as a session of mstsc has them by and large. */
const LOGIN: readonly (readonly [number, number])[] = [
  [420, 130],
  [12, 11],
  [12, 15],
  [355, 34],
  [40, 420],
  [500, 60],
];

export function rdpServer(settings: TlsServer & { seconds: number }): void {
  const random = new Random(settings.seed);
  const server = createServer((plain) => {
    plain.on('error', () => {});
    plain.once('data', () => {
      plain.write(CONFIRM);
      const socket = new TLSSocket(plain, { isServer: true, ...serverContext(settings) });
      socket.on('error', () => {});
      let turn = 0;
      socket.on('data', () => {
        if (turn < LOGIN.length) socket.write(randomBytes(LOGIN[turn]![1]));
        turn += 1;
        if (turn === LOGIN.length) void draw(socket, random, settings.seconds);
      });
    });
  });
  server.listen(settings.port, settings.address, ready);
}

async function draw(socket: Socket, random: Random, seconds: number): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end && !socket.destroyed) {
    socket.write(randomBytes(random.chance(0.2) ? random.int(2000, 9000) : random.int(30, 600)));
    await sleep(random.pick([60, 200, 800, 2500]) * (0.5 + random.next()));
  }
}

export async function rdpClient(settings: TlsClient) {
  const random = new Random(settings.seed);
  const plain = connectPlain(settings.port, settings.address).setNoDelay(true);
  plain.write(REQUEST);
  await new Promise((resolve, reject) => plain.once('data', resolve).once('error', reject));
  const socket = connect({ ...clientOptions(settings, []), socket: plain });
  await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  for (const [size] of LOGIN) {
    const answer = new Promise((resolve) => socket.once('data', resolve));
    socket.write(randomBytes(size));
    await answer;
  }
  let received = 0;
  let inputs = 0;
  socket.on('data', (data) => {
    received += data.length;
  });
  const end = Date.now() + settings.seconds * 1000;
  while (Date.now() < end) {
    socket.write(randomBytes(random.int(6, 40)));
    inputs += 1;
    await sleep(random.pick([30, 120, 700, 3000]) * (0.5 + random.next()));
  }
  socket.end();
  await sleep(200);
  return { inputs, received };
}
