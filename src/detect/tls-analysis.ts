/// Follows one TLS flow through the script into the tunnel.

import type { PlainBlockWalk } from '../flow/plain-blocks.js';
import type { FlowAnalysis, TcpFlow } from '../flow/tcp-flow.js';
import { TLS_APPLICATION_DATA } from '../flow/tls-records.js';
import { connectionOf, type PlainSide, type TlsConnection } from './connection.js';
import type { TlsSessionProfile } from './profile.js';
import { RecordLog } from './record-log.js';
import { readScript, type ScriptReading } from './script.js';
import { Tunnel } from './tunnel.js';

export class TlsAnalysis implements FlowAnalysis {
  private readonly log = new RecordLog();
  private reading: ScriptReading | null = null;
  private tunnel: Tunnel | null = null;
  private readonly plainFrames = { client: 0, server: 0 };
  private helloUs = 0;
  private helloFrame = 0;

  /// `found` gets the connection when its flow ends.
  constructor(
    private readonly profile: TlsSessionProfile,
    private readonly input: number,
    private readonly found: (connection: TlsConnection) => void,
  ) {}

  tlsRecord(
    flow: TcpFlow,
    fromClient: boolean,
    type: number,
    length: number,
    timeUs: number,
    frame: number,
  ): boolean {
    if (this.helloFrame === 0) {
      this.helloUs = timeUs;
      this.helloFrame = frame;
    }
    if (type !== TLS_APPLICATION_DATA) return true;
    if (this.tunnel !== null) {
      this.tunnel.record(fromClient, length, flow.protection, timeUs, frame);
      return true;
    }
    if (this.log.full) return false;
    this.log.add(fromClient, length, timeUs, frame);
    const reading = readScript(this.log, flow.protection, this.profile);
    if (reading.outcome === 'failed') return false;
    if (reading.outcome !== 'open') {
      this.reading = reading;
      this.tunnel = new Tunnel(timeUs, this.profile);
    }
    return true;
  }

  notTls(_flow: TcpFlow, fromClient: boolean, _timeUs: number, frame: number): boolean {
    // After the script a tunnel may go on without encryption; before it, this is something else.
    if (this.tunnel === null) return false;
    this.tunnel.leftTls = true;
    if (fromClient) this.plainFrames.client = frame;
    else this.plainFrames.server = frame;
    return true;
  }

  end(flow: TcpFlow): void {
    const { reading, tunnel } = this;
    if (reading === null || tunnel === null) return;
    const { client, server } = flow;
    this.found({
      ...connectionOf(flow, this.input),
      kind: reading.outcome === 'primary' ? 'primary' : 'additional',
      script: reading,
      log: this.log,
      tunnel,
      plain: tunnel.leftTls
        ? {
            client: plainSide(client.blocks, this.plainFrames.client),
            server: plainSide(server.blocks, this.plainFrames.server),
          }
        : null,
      protection: flow.protection,
      rudp: null,
      helloFrame: this.helloFrame,
      roundTripUs: flow.startSeen ? this.helloUs - flow.firstUs : 0,
    });
  }
}

function plainSide({ blocks, frames }: PlainBlockWalk, firstFrame: number): PlainSide {
  return { blocks, frames, firstFrame };
}
