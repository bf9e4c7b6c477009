/** Recording with tcpdump on one side of the gateway. */
import { finish, hasEnded, type Running, startIn, stop, waitForOutput } from './processes.js';
import { CAPTURE_INTERFACES, type CapturePoint, type Network } from './topology.js';

export async function startRecording(network: Network, point: CapturePoint, file: string): Promise<Running> {
  // Packet-buffered, so that the file is whole whenever the recording ends.
  const options = ['--immediate-mode', '-U', '-n', '-s', '0', '-B', '16384', '-Z', 'root'];
  const running = startIn(network.gateway, `tcpdump-${point}`, [
    'tcpdump',
    ...options,
    '-i',
    CAPTURE_INTERFACES[point],
    '-w',
    file,
  ]);
  await waitForOutput(running, 'listening on');
  return running;
}

export async function stopRecording(running: Running): Promise<void> {
  await stop(running, 'SIGINT');
  if (!hasEnded(running)) await finish(running, 5);
}
