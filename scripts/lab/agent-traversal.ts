/**
 * The service that helps SoftEther through NAT, as far as clients and servers of
 * the lab need it: servers register, clients ask for a server by its address and
 * are told its UDP port, and the server is told of the client. Requests and
 * answers are SoftEther's packs: named values, each of them an array.
 */
import { createSocket, type RemoteInfo } from 'node:dgram';
import { ready } from './agent-tls.js';

const INT = 0;
const TEXT = 2;
const INT64 = 4;

type Value = number | string | bigint;
type Pack = ReadonlyMap<string, Value>;

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

function encode(values: Readonly<Record<string, Value>>): Buffer {
  const names = Object.keys(values).sort();
  const parts = [uint32(names.length)];
  for (const name of names) {
    const value = values[name]!;
    parts.push(uint32(name.length + 1), Buffer.from(name));
    if (typeof value === 'number') {
      parts.push(uint32(INT), uint32(1), uint32(value));
    } else if (typeof value === 'string') {
      parts.push(uint32(TEXT), uint32(1), uint32(value.length), Buffer.from(value));
    } else {
      const buffer = Buffer.alloc(8);
      buffer.writeBigUInt64BE(value);
      parts.push(uint32(INT64), uint32(1), buffer);
    }
  }
  return Buffer.concat(parts);
}

/** Reads packs whose arrays hold one value, as all of these do. */
function decode(data: Buffer): Pack {
  let at = 0;
  const next = () => {
    at += 4;
    return data.readUInt32BE(at - 4);
  };
  const text = (length: number) => {
    at += length;
    return data.toString('latin1', at - length, at);
  };
  const values = new Map<string, Value>();
  for (let left = next(); left > 0; left--) {
    const name = text(next() - 1);
    const type = next();
    next();
    if (type === INT) {
      values.set(name, next());
    } else if (type === TEXT) {
      values.set(name, text(next()));
    } else if (type === INT64) {
      at += 8;
      values.set(name, data.readBigUInt64BE(at - 8));
    } else {
      throw new Error(`unexpected type ${type}`);
    }
  }
  return values;
}

function tryDecode(data: Buffer): Pack | undefined {
  try {
    return decode(data);
  } catch {
    return undefined;
  }
}

export function traversalServer(settings: { address: string; port: number }): void {
  const socket = createSocket('udp4');
  /** Servers by address. */
  const servers = new Map<string, { port: number; key: Value }>();
  const send = (data: Buffer | string, { address, port }: { address: string; port: number }) =>
    socket.send(data, port, address);

  const answers: Record<string, (request: Pack, from: RemoteInfo) => Record<string, Value>> = {
    get_token: (_, from) => ({ token: '0123456789ABCDEF', your_ip: from.address }),
    nat_t_register: (request, from) => {
      servers.set(from.address, { port: from.port, key: request.get('session_key')! });
      return { your_ip_and_port: `IP=${from.address},PORT=${from.port}`, your_port: from.port };
    },
    nat_t_connect_request: (request, from) => {
      const address = String(request.get('dest_ip'));
      const server = servers.get(address);
      if (!server) return { ok: 0 };
      const relay = { opcode: 'nat_t_connect_relay', ok: 1, session_key: server.key };
      const told = encode({ ...relay, client_ip: from.address, client_port: from.port });
      send(told, { address, port: server.port });
      return { result_ip: address, result_port: server.port, same_lan: 0 };
    },
  };

  socket.on('message', (data, from) => {
    if (data.length === 1) return send(`IP=${from.address},PORT=${from.port}`, from);
    const request = tryDecode(data);
    if (!request) return console.log(`not understood: ${data.toString('hex')}`);
    const opcode = String(request.get('opcode'));
    const answer = answers[opcode]?.(request, from);
    if (answer) send(encode({ ok: 1, opcode, tran_id: request.get('tran_id')!, ...answer }), from);
  });
  socket.bind(settings.port, settings.address, ready);
}
