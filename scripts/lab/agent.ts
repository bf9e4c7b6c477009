/**
 * One of the lab's own servers or clients, run inside a namespace:
 * `node agent.js ROLE SETTINGS`. A server prints "ready" when it listens; a
 * client prints its counts as JSON when it is done.
 */
import { fileURLToPath } from 'node:url';
import { ikeClient, l2tpClient } from './agent-clones.js';
import { http2Client, http2Server } from './agent-http2.js';
import { mailClient, mailServer } from './agent-mail.js';
import { echoClient, echoServer, mute, tunnelWeb } from './agent-plain.js';
import { postsClient, postsServer } from './agent-posts.js';
import { rdpClient, rdpServer } from './agent-rdp.js';
import { traversalServer } from './agent-traversal.js';
import { webClient, webServer } from './agent-web.js';
import { webSocketClient, webSocketServer } from './agent-websocket.js';

const ROLES = {
  'tunnel-web': tunnelWeb,
  mute,
  'echo-server': echoServer,
  'echo-client': echoClient,
  'posts-server': postsServer,
  'posts-client': postsClient,
  'websocket-server': webSocketServer,
  'websocket-client': webSocketClient,
  'http2-server': http2Server,
  'http2-client': http2Client,
  'web-server': webServer,
  'web-client': webClient,
  'mail-server': mailServer,
  'mail-client': mailClient,
  'rdp-server': rdpServer,
  'rdp-client': rdpClient,
  traversal: traversalServer,
  'ike-client': ikeClient,
  'l2tp-client': l2tpClient,
} as const;

export type AgentName = keyof typeof ROLES;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [role, settings] = process.argv.slice(2);
  const result = await ROLES[role as AgentName](JSON.parse(settings ?? '{}'));
  if (result !== undefined) {
    console.log(JSON.stringify(result));
    process.exit(0);
  }
}
