/**
 * What the SoftEther server itself wrote about each connection. This, and not
 * the look of the traffic, decides what a flow is called in a label.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type LoggedRole = 'primary' | 'additional' | 'refused' | 'attempt' | 'management' | 'not-softether';

export interface LoggedConnection {
  readonly name: string;
  readonly client: string;
  readonly role: LoggedRole;
  /** The session that this connection created; additional connections join the client's latest one. */
  readonly session?: string;
}

/** The server's log, of all days. */
export function readServerLog(home: string): string {
  const folder = join(home, 'log/softether/server_log');
  const files = readdirSync(folder).sort();
  return files.map((file) => readFileSync(join(folder, file), 'utf8')).join('');
}

const CREATED =
  /For the client \(IP address: ([^,]+), host name: ".*", port number: (\d+)\), connection "(CID-\d+)" has/;

/** Every connection of the log by its client's address and port, as `ip:port`. */
export function loggedConnections(log: string): Map<string, LoggedConnection> {
  const lines = log.split('\n');
  const result = new Map<string, LoggedConnection>();
  for (const line of lines) {
    const created = CREATED.exec(line);
    if (!created) continue;
    const [, ip, port, name] = created;
    const own = lines.filter((each) => each.includes(`onnection "${name}"`)).join('\n');
    const client = `${ip}:${port}`;
    result.set(client, { name: name!, client, ...judge(own) });
  }
  return result;
}

function judge(own: string): { role: LoggedRole; session?: string } {
  const session = /The new session "([^"]+)" has been created/.exec(own)?.[1];
  if (session) return { role: 'primary', session };
  if (own.includes('server admin mode') || own.includes('administration mode')) return { role: 'management' };
  const code = /terminated by the cause ".*" \(code (\d+)\)/.exec(own)?.[1];
  if (own.includes('attempting to connect to the Virtual Hub') || code === '8' || code === '9') {
    return { role: 'attempt' };
  }
  // A connection that joins a session is handed over to it: its own end is logged without a cause.
  if (code === undefined) return { role: own.includes('SSL communication') ? 'additional' : 'not-softether' };
  return { role: code === '5' ? 'not-softether' : 'refused' };
}
