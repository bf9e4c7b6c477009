/// Which benign application a flow looks most like: a modest guess by a few
/// rules, for the reader, never part of a verdict.

import type { WatchedFlow } from '../flow/flow-watch.js';
import { latin1 } from '../wire/latin1.js';
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/packet.js';

/// A turn of the server that begins so long after the client's last is unasked.
const UNASKED_US = 1_000_000;
const DNS_PORT = 53;
const FEW_TURNS = 4;
/// The handshake of TLS, with a first request.
const OPENING_TURNS = 4;
/// Bytes of an average message.
const SMALL_BYTES = 400;
const ONE_WAY = 20;

export function nearestApplication(flow: WatchedFlow): string {
  const first = flow.firstPayload;
  const text = first === null ? '' : latin1(first.bytes);
  if (first === null) return 'None: the flow carries no payload.';
  if (text.startsWith('SSH-')) return 'SSH: the first bytes say so.';
  if (/^(GET|POST|PUT|HEAD|OPTIONS) |^HTTP\//.test(text)) return 'HTTP in clear: the first bytes say so.';
  if (flow.protocol === PROTOCOL_UDP) {
    return flow.server.port === DNS_PORT
      ? 'DNS: the port is its own.'
      : 'Another protocol over UDP (QUIC, a call, a game, another VPN); the sizes alone do not tell.';
  }
  if (flow.protocol !== PROTOCOL_TCP) return 'Ping: echo requests and their replies.';
  const { turns } = flow;
  if (turns.length <= FEW_TURNS) return 'None in particular: the flow is too short to compare.';
  // What the server sends long after the client's last word, nobody asked for;
  // but the last of it may only be the end of TLS.
  let unasked = 0;
  turns.slice(0, -1).forEach(({ fromClient, timeUs, resumed }, i) => {
    if (fromClient) return;
    unasked += resumed;
    if (i > 0 && timeUs - turns[i - 1]!.lastUs > UNASKED_US) unasked++;
  });
  const up = flow.bytesFromClient;
  const down = flow.bytesFromServer;
  if (down > up * ONE_WAY) return 'A download over HTTPS: nearly all bytes come from the server.';
  if (up > down * ONE_WAY) return 'An upload over HTTPS: nearly all bytes come from the client.';
  if (unasked === 0) {
    return 'HTTP requests and answers over a connection that is kept open (a web application, JSON-RPC): the server never speaks unasked.';
  }
  const later = turns.slice(OPENING_TURNS);
  const pieces = later.reduce((sum, { resumed }) => sum + 1 + resumed, 0);
  const bytes = later.reduce((sum, turn) => sum + turn.bytes, 0);
  if (bytes <= pieces * SMALL_BYTES) {
    return 'A messaging connection (MQTT, chat over WebSocket, push notifications, a remote terminal): small messages both ways, and the server also speaks unasked.';
  }
  return 'A two-way application in TLS (WebSocket, HTTP/2 with pushes, another VPN): larger messages, and the server also speaks unasked.';
}
