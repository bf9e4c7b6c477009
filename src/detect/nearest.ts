/// Which benign application a flow looks most like: a modest guess by a few
/// rules, for the reader, never part of a verdict.

import type { WatchedFlow } from '../flow/flow-watch.js';

/// A turn of the server that begins so long after the client's last is unasked.
const UNASKED_US = 1_000_000;
const FEW_TURNS = 4;
/// The handshake of TLS, with a first request.
const OPENING_TURNS = 4;
const SMALL_BYTES = 300;
const ONE_WAY = 20;
const MOSTLY = 0.8;

export function nearestApplication(flow: WatchedFlow): string {
  const first = flow.firstPayload;
  const text = first === null ? '' : String.fromCharCode(...first.bytes);
  if (first === null) return 'None: the flow carries no payload.';
  if (text.startsWith('SSH-')) return 'SSH: the first bytes say so.';
  if (/^(GET|POST|PUT|HEAD|OPTIONS) |^HTTP\//.test(text)) return 'HTTP in clear: the first bytes say so.';
  const { turns } = flow;
  if (turns.length <= FEW_TURNS) return 'None in particular: the flow is too short to compare.';
  let unasked = 0;
  for (let i = 1; i < turns.length; i++) {
    const { fromClient, timeUs } = turns[i]!;
    if (!fromClient && timeUs - turns[i - 1]!.timeUs > UNASKED_US) unasked++;
  }
  const up = flow.bytesFromClient;
  const down = flow.bytesFromServer;
  const later = turns.slice(OPENING_TURNS);
  const small = later.filter(({ bytes }) => bytes <= SMALL_BYTES).length;
  if (down > up * ONE_WAY) return 'A download over HTTPS: nearly all bytes come from the server.';
  if (up > down * ONE_WAY) return 'An upload over HTTPS: nearly all bytes come from the client.';
  if (small >= later.length * MOSTLY) {
    return 'A messaging connection with pings (MQTT, push notifications, chat, a remote terminal): small messages both ways.';
  }
  if (unasked === 0) {
    return 'HTTP requests and answers over a connection that is kept open (a web application, JSON-RPC): the server never speaks unasked.';
  }
  return 'A two-way application in TLS (WebSocket, HTTP/2 with pushes, another VPN): larger messages at first, and the server also speaks unasked.';
}
