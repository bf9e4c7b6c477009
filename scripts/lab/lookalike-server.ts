/** A browser at the SoftEther server itself: HTTPS to a VPN server, and no VPN. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LookAlikeOutcome, LookAlikeStage } from './lookalikes.js';
import { runIn } from './processes.js';
import * as softether from './softether.js';
import { drawServerCertificate } from './variation.js';

const PATHS = ['/', '/', '/robots.txt', '/vpnsvc/connect.cgi', '/favicon.ico', '/api/'];

export async function playBrowserAtServer(stage: LookAlikeStage): Promise<LookAlikeOutcome> {
  const { network, site, random, more, port, seconds } = stage;
  const certificate = drawServerCertificate(more, site);
  const options = { port, certificate, tls: 'any' } as const;
  await softether.startServer(network.server, options);
  const version = await softether.configureServer(network.server, options, site.tunnelServer);
  await stage.record();
  const end = Date.now() + seconds * 1000;
  const codes: Record<string, number> = {};
  while (Date.now() < end) {
    const url = `https://${site.serverAddress}:${port}${random.pick(PATHS)}`;
    const body = random.chance(0.3) ? ['--data-binary', random.text(random.int(1400, 3500))] : [];
    const command = ['curl', '-sk', '--max-time', '8', '-o', '/dev/null', '-w', '%{http_code}', ...body, url];
    const { stdout } = await runIn(network.client, command, { allowFailure: true });
    codes[stdout] = (codes[stdout] ?? 0) + 1;
    await sleep(random.int(300, 3000));
  }
  return {
    software: { softether: version },
    settings: { serverCertificate: certificate },
    verified: { codes },
  };
}
