/** Recording with tcpdump, on one or more points of the network at once. */
import { join } from 'node:path';
import { finish, hasEnded, type Running, startIn, stop, waitForOutput } from './processes.js';
import { CAPTURE_POINTS, type CapturePoint, type Network } from './topology.js';

/** What goes on beside a recording, from before it to after it. */
export interface Beside {
  begin(network: Network): Promise<void>;
  end(): Promise<void>;
}

export class Recorder {
  readonly #network: Network;
  readonly #folder: string;
  readonly #running: Running[] = [];
  readonly #beside: Beside | undefined;
  readonly points: readonly CapturePoint[];

  constructor(network: Network, folder: string, points: readonly CapturePoint[], beside?: Beside) {
    this.#network = network;
    this.#folder = folder;
    this.points = points;
    this.#beside = beside;
  }

  fileOf(point: CapturePoint): string {
    return join(this.#folder, `${point}.pcap`);
  }

  async start(): Promise<void> {
    await this.#beside?.begin(this.#network);
    for (const point of this.points) {
      const [place, device] = CAPTURE_POINTS[point];
      // Packet-buffered, so that the file is whole whenever the recording ends.
      const options = ['--immediate-mode', '-U', '-n', '-s', '0', '-B', '16384', '-Z', 'root'];
      const running = startIn(this.#network[place], `tcpdump-${point}`, [
        'tcpdump',
        ...options,
        '-i',
        device,
        '-w',
        this.fileOf(point),
      ]);
      await waitForOutput(running, 'listening on');
      this.#running.push(running);
    }
  }

  async stop(): Promise<void> {
    await this.#beside?.end();
    for (const running of this.#running) {
      await stop(running, 'SIGINT');
      if (!hasEnded(running)) await finish(running, 5);
    }
  }
}
