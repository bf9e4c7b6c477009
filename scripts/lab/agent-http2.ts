/** HTTP/2: requests of all sizes in one connection, as a browser makes them. */
import { type ClientHttp2Session, connect, createSecureServer } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { ready, serverContext, type TlsClient, type TlsServer } from './agent-tls.js';
import { Random } from './random.js';

export function http2Server(settings: TlsServer): void {
  const random = new Random(settings.seed);
  const server = createSecureServer(serverContext(settings));
  server.on('stream', (stream) => {
    stream.resume();
    stream.respond({ ':status': 200, 'content-type': 'text/plain' });
    stream.end(random.text(random.chance(0.2) ? random.int(3000, 9000) : random.int(100, 1500)));
  });
  server.listen(settings.port, settings.address, ready);
}

function fetchOne(session: ClientHttp2Session, path: string, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path, ':method': body ? 'POST' : 'GET' });
    let length = 0;
    stream.on('data', (data) => {
      length += data.length;
    });
    stream.on('end', () => resolve(length));
    stream.on('error', reject);
    // A GET has no body: its stream is already closed on this side.
    if (body) stream.end(body);
  });
}

export async function http2Client(settings: TlsClient) {
  const random = new Random(settings.seed);
  const counts = { requests: 0, received: 0 };
  const session = connect(`https://${settings.address}:${settings.port}`, {
    rejectUnauthorized: false,
    ...(settings.serverName ? { servername: settings.serverName } : {}),
  });
  const end = Date.now() + settings.seconds * 1000;
  while (Date.now() < end) {
    const bodies = Array.from({ length: random.int(1, 5) }, () =>
      random.chance(0.3) ? random.text(random.int(100, 3000)) : '',
    );
    const lengths = await Promise.all(bodies.map((body, i) => fetchOne(session, `/item/${i}`, body)));
    counts.requests += lengths.length;
    for (const length of lengths) counts.received += length;
    await sleep(random.int(300, 3000));
  }
  session.close();
  await sleep(200);
  return counts;
}
