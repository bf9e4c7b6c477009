/** Ordinary HTTPS of the VPN's client to another server at the same time. */
import { startAgent, startClientAgent } from './agent-start.js';
import { makeCertificate } from './certificates.js';
import type { End } from './flows.js';
import type { Stage } from './play.js';
import { finish, outputOf, type Running } from './processes.js';

export interface Beside {
  readonly end: End;
  readonly software: Readonly<Record<string, string>>;
  start(): void;
  finish(): Promise<unknown>;
}

export async function startBeside(stage: Stage, seconds: number): Promise<Beside> {
  const { network, site, more } = stage;
  const wish = { key: 'ec256', commonName: `web.${site.serverName}`, organization: 'Test' } as const;
  const { key, chain } = await makeCertificate(network.gateway.home, 'beside', {
    ...wish,
    extraNames: 1,
    chain: true,
  });
  const ends = { address: site.elsewhere, port: 443, habit: 'twin' };
  const tls = { key, chain, version: '1.3', statefulTickets: false, seed: more.int(0, 2 ** 31) };
  await startAgent(network.gateway, 'posts-server', { ...ends, ...tls });
  let running: Running | undefined;
  return {
    end: { ip: site.elsewhere, port: 443 },
    software: { node: process.versions.node },
    start() {
      const client = { alpn: true, serverName: wish.commonName, connections: 2, seconds: seconds - 3 };
      running = startClientAgent(network.client, 'posts-client', {
        ...ends,
        ...client,
        seed: more.int(0, 2 ** 31),
      });
    },
    async finish() {
      await finish(running!, seconds + 20);
      return JSON.parse(outputOf(running!));
    },
  };
}
