/** A VPN server of its own whose hub is linked to another server's by a cascade connection. */
import { type Place, startIn, waitForPort, waitUntil } from './processes.js';
import { ADMIN_PASSWORD, ADMIN_PORT, HUB, PASSWORD, USER, vpncmd } from './softether.js';

function tell(place: Place, ...lines: string[]): Promise<string> {
  const login = ['/SERVER', `/PASSWORD:${ADMIN_PASSWORD}`];
  return vpncmd(place, [`localhost:${ADMIN_PORT}`, ...login], [`Hub ${HUB}`, ...lines]);
}

/** The account's first command names the server to link to. */
export async function startCascade(place: Place, commands: readonly string[]): Promise<void> {
  const target = /\/SERVER:(\S+)/.exec(commands[0]!)![1];
  startIn(place, 'vpnserver', ['vpnserver', 'execsvc']);
  await waitForPort(place, ADMIN_PORT);
  const setup = [`ServerPasswordSet ${ADMIN_PASSWORD}`, `HubCreate ${HUB} /PASSWORD:hubpw`];
  await vpncmd(place, [`localhost:${ADMIN_PORT}`, '/SERVER'], setup);
  await tell(
    place,
    `BridgeCreate ${HUB} /DEVICE:lab /TAP:yes`,
    `CascadeCreate up /SERVER:${target} /HUB:${HUB} /USERNAME:${USER}`,
    `CascadePasswordSet up /PASSWORD:${PASSWORD} /TYPE:standard`,
  );
}

export async function raiseCascade(place: Place): Promise<void> {
  await tell(place, 'CascadeOnline up');
  const isUp = async () => (await tell(place, 'CascadeStatusGet up')).includes('Session Established');
  await waitUntil(isUp, 'the cascade connection', 20);
}

export async function lowerCascade(place: Place): Promise<void> {
  await tell(place, 'CascadeOffline up');
}
