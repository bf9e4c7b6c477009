/// The SoftEther servers of a capture: from its sessions, and from sightings
/// that tell of a server.

import { describeCertificate } from './certificates.js';
import type { ServerEntry } from './findings.js';
import { rfc3339 } from './rfc3339.js';
import type { SessionFacts } from './sessions.js';
import { endOfTarget, isAddressLiteral, type ServerHint } from './sightings.js';

/// Names that a server is called by; a capture can be made to hold any number.
const MAX_NAMES = 64;

/// One entry for each address, in the order of first packets.
export function serversOf(sessions: readonly SessionFacts[], hints: readonly ServerHint[]): ServerEntry[] {
  const entries: ServerEntry[] = [];
  for (const { id, client, firstUs, lastUs, server, proxy, names, certificate } of sessions) {
    const target = endOfTarget({ server, proxy });
    if (target === null) continue;
    const port = target.port < 0 ? null : target.port;
    entries.push(
      entryOf({ ...target, port, client, names, certificate, offers: null, firstUs, lastUs }, [id]),
    );
  }
  entries.push(...hints.map((hint) => entryOf(hint, [])));
  return mergeServers(entries);
}

function entryOf(hint: ServerHint, sessions: string[]): ServerEntry {
  const { ip, port, client, names, offers, firstUs, lastUs } = hint;
  const certificate = hint.certificate === null ? undefined : describeCertificate(hint.certificate);
  return {
    ip,
    ports: port === null ? [] : [port],
    // A client of 4.x may write `name/tcp`.
    names: names
      .map((name) => name.toLowerCase().replace(/\/tcp$/, ''))
      .filter((name) => !isAddressLiteral(name)),
    ...(certificate === undefined ? {} : { certificate }),
    ...(offers === null ? {} : { offers: [offers] }),
    clients: client === null ? [] : [client],
    firstSeen: rfc3339(firstUs),
    lastSeen: rfc3339(lastUs),
    sessions,
  };
}

/// Puts together the entries of one address, of one capture or several.
export function mergeServers(entries: readonly ServerEntry[]): ServerEntry[] {
  const byAddress = new Map<string, ServerEntry>();
  for (const entry of entries) {
    const before = byAddress.get(entry.ip);
    if (before === undefined) {
      byAddress.set(entry.ip, { ...entry });
      continue;
    }
    const certificate = before.certificate ?? entry.certificate;
    const offers = distinct([...(before.offers ?? []), ...(entry.offers ?? [])]);
    byAddress.set(entry.ip, {
      ip: entry.ip,
      ports: [...new Set([...before.ports, ...entry.ports])].sort((a, b) => a - b),
      names: distinct([...before.names, ...entry.names]).slice(0, MAX_NAMES),
      ...(certificate === undefined ? {} : { certificate }),
      ...(offers.length === 0 ? {} : { offers }),
      clients: distinct([...before.clients, ...entry.clients]),
      firstSeen: before.firstSeen < entry.firstSeen ? before.firstSeen : entry.firstSeen,
      lastSeen: before.lastSeen > entry.lastSeen ? before.lastSeen : entry.lastSeen,
      sessions: [...new Set([...before.sessions, ...entry.sessions])],
    });
  }
  return [...byAddress.values()].sort((a, b) =>
    a.firstSeen < b.firstSeen ? -1 : a.firstSeen > b.firstSeen ? 1 : a.ip < b.ip ? -1 : 1,
  );
}

function distinct<Text extends string>(texts: readonly Text[]): Text[] {
  return [...new Set(texts)].sort();
}
