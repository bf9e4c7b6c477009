/** Starts this lab's own Node servers and clients inside a namespace. */
import { fileURLToPath } from 'node:url';
import type { AgentName } from './agent.js';
import { type Place, type Running, startIn, waitForOutput } from './processes.js';

const AGENT = fileURLToPath(new URL('./agent.js', import.meta.url));

export interface AgentOptions {
  /** An OpenSSL configuration for the agent's TLS. */
  readonly openSsl?: string;
}

function launch(place: Place, role: AgentName, settings: object, options: AgentOptions): Running {
  const node = [process.execPath, ...(options.openSsl ? ['--openssl-shared-config'] : [])];
  const env = options.openSsl ? { OPENSSL_CONF: options.openSsl } : {};
  return startIn(place, role, [...node, AGENT, role, JSON.stringify(settings)], env);
}

/** Starts a server and returns once it listens. */
export async function startAgent(
  place: Place,
  role: AgentName,
  settings: object,
  options: AgentOptions = {},
): Promise<Running> {
  const running = launch(place, role, settings, options);
  await waitForOutput(running, 'ready');
  return running;
}

/** Starts a client, which ends by itself. */
export function startClientAgent(place: Place, role: AgentName, settings: object): Running {
  return launch(place, role, settings, {});
}
