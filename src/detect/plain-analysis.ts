/// Follows a TCP flow without TLS that was running when the capture began, and
/// reads it as the blocks of a tunnel whose encryption is switched off.

import { PlainBlockWalk } from '../flow/plain-blocks.js';
import type { StreamAnalysis, TcpFlow } from '../flow/tcp-flow.js';
import { connectionOf, emptyConnection, type TlsConnection } from './connection.js';
import type { TlsSessionProfile } from './profile.js';

export class PlainAnalysis implements StreamAnalysis {
  private readonly client = new PlainBlockWalk();
  private readonly server = new PlainBlockWalk();
  private clientFrame = 0;
  private serverFrame = 0;

  /// `found` gets the connection, if it can be read as blocks.
  constructor(
    private readonly profile: TlsSessionProfile,
    private readonly input: number,
    private readonly found: (connection: TlsConnection) => void,
  ) {}

  bytes(
    _flow: TcpFlow,
    fromClient: boolean,
    bytes: Uint8Array,
    at: number,
    length: number,
    _timeUs: number,
    frame: number,
  ): boolean {
    if (fromClient && this.clientFrame === 0) this.clientFrame = frame;
    if (!fromClient && this.serverFrame === 0) this.serverFrame = frame;
    const walk = fromClient ? this.client : this.server;
    walk.bytes(bytes, at, length);
    return !walk.broken || walk.blocks >= this.profile.plainBlocks.minAlone.value;
  }

  missing(_flow: TcpFlow, fromClient: boolean, length: number): void {
    (fromClient ? this.client : this.server).missing(length);
  }

  /// Few blocks of a side may still turn out to be none, and the flow is let go.
  soFar(flow: TcpFlow): void {
    const { minAlone } = this.profile.plainBlocks;
    const isSure = (walk: PlainBlockWalk, frame: number) => frame === 0 || walk.blocks >= minAlone.value;
    if (isSure(this.client, this.clientFrame) && isSure(this.server, this.serverFrame)) this.end(flow);
  }

  end(flow: TcpFlow): void {
    const { client, server } = this;
    const { minBlocks, minAlone } = this.profile.plainBlocks;
    const both = Math.min(client.blocks, server.blocks) >= minBlocks.value;
    if (!both && Math.max(client.blocks, server.blocks) < minAlone.value) return;
    const connection = emptyConnection(connectionOf(flow, this.input), this.profile);
    connection.tunnel.leftTls = true;
    this.found({
      ...connection,
      plain: {
        client: { blocks: client.blocks, frames: client.frames, firstFrame: this.clientFrame },
        server: { blocks: server.blocks, frames: server.frames, firstFrame: this.serverFrame },
      },
    });
  }
}
