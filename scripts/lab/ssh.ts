/** sshd and ssh with throw-away keys: shells, copies and forwarded ports. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  debianVersion,
  hasEnded,
  outputOf,
  type Place,
  type Running,
  run,
  startIn,
  waitForPort,
} from './processes.js';
import type { Random } from './random.js';

/** Cipher and MAC, as far as they change the sizes on the wire; 'default' is what the two programs agree on. */
export type SshCipher = 'default' | 'chacha20' | 'aes256-gcm' | 'aes256-ctr-etm' | 'aes256-ctr-mac';

const CIPHERS: Readonly<Record<SshCipher, readonly string[]>> = {
  default: [],
  chacha20: ['-o', 'Ciphers=chacha20-poly1305@openssh.com'],
  'aes256-gcm': ['-o', 'Ciphers=aes256-gcm@openssh.com'],
  'aes256-ctr-etm': ['-o', 'Ciphers=aes256-ctr', '-o', 'MACs=hmac-sha2-256-etm@openssh.com'],
  'aes256-ctr-mac': ['-o', 'Ciphers=aes256-ctr', '-o', 'MACs=hmac-sha2-256'],
};

export interface SshServer {
  readonly server: Place;
  readonly client: Place;
  readonly address: string;
  readonly port: number;
  readonly cipher?: SshCipher;
  readonly random: Random;
}

export interface SshAccess {
  /** ssh options and the target; put further options in front. */
  readonly options: readonly string[];
  readonly identity: readonly string[];
  readonly target: string;
  readonly software: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, unknown>>;
}

export async function startSshServer(wish: SshServer): Promise<SshAccess> {
  const { server, client, address, port, cipher = 'default', random } = wish;
  const hostKeyType = random.pick(['ed25519', 'ecdsa', 'rsa']);
  const userKeyType = random.pick(['ed25519', 'rsa']);
  const hostKey = join(server.home, 'host_key');
  const userKey = join(client.home, 'user_key');
  await run(['ssh-keygen', '-q', '-t', hostKeyType, '-N', '', '-C', 'lab', '-f', hostKey]);
  await run(['ssh-keygen', '-q', '-t', userKeyType, '-N', '', '-C', 'lab', '-f', userKey]);
  const settings = [
    ...[`ListenAddress ${address}:${port}`, `HostKey ${hostKey}`, 'UsePAM no', 'StrictModes no'],
    ...[`AuthorizedKeysFile ${userKey}.pub`, 'PermitRootLogin prohibit-password', 'PrintMotd no'],
    ...['PrintLastLog no', 'AllowTcpForwarding yes', 'Subsystem sftp internal-sftp', 'UseDNS no'],
  ];
  writeFileSync(join(server.home, 'sshd_config'), `${settings.join('\n')}\n`);
  startIn(server, 'sshd', ['/usr/sbin/sshd', '-D', '-e', '-f', join(server.home, 'sshd_config')]);
  await waitForPort(server, port);
  const trust = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'];
  return {
    options: [...trust, ...CIPHERS[cipher]],
    identity: ['-F', '/dev/null', '-i', userKey],
    target: `root@${address}`,
    software: await debianVersion('openssh-server'),
    settings: { hostKeyType, userKeyType, cipher },
  };
}

export interface SshTunnel {
  readonly software: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Starts ssh; left to the caller, so that a recording can begin before it. */
  readonly start: () => Promise<Running>;
}

/** A server, and an ssh that only forwards. */
export async function openTunnel(wish: SshServer & { forward: readonly string[] }): Promise<SshTunnel> {
  const { client, port, forward } = wish;
  const access = await startSshServer(wish);
  const start = async () => {
    const only = ['-N', '-T', '-o', 'ExitOnForwardFailure=yes', ...forward];
    const where = ['-p', `${port}`, access.target];
    const running = startIn(client, 'ssh', ['ssh', ...only, ...access.options, ...access.identity, ...where]);
    await sleep(1200);
    if (hasEnded(running)) throw new Error(`ssh did not stay: ${outputOf(running)}`);
    return running;
  };
  return { software: access.software, settings: access.settings, start };
}
