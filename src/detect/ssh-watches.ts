/// What looks at the encrypted part of one SSH connection, made when it begins:
/// by then the ciphers are known, or never will be.

import type { FlowWeight } from '../flow/flow-weight.js';
import type { SshFlow } from '../flow/ssh/ssh-flow.js';
import { ChannelWatch } from './ssh-channels.js';
import { type PollOwner, PollWatch } from './ssh-polls.js';
import { ScriptWatch, type SshScript } from './ssh-script.js';
import type { DirectionSizes, SshKnowledge } from './ssh-sizes.js';
import { TolerantWatch } from './ssh-tolerant.js';

/// What all watches of a connection take, before there is a poll (measured).
const WATCHES_BYTES = 6_000;

export interface FlowSizes {
  client: DirectionSizes;
  server: DirectionSizes;
}

/// Pairs: the VPN client on the side of the SSH client, and the other way round.
export interface Watches extends FlowSizes {
  script: ScriptWatch;
  tolerant: TolerantWatch;
  polls: readonly [PollWatch, PollWatch];
  channels: readonly [ChannelWatch, ChannelWatch];
}

export function flowSizes(flow: SshFlow, knowledge: SshKnowledge): FlowSizes {
  const direction = (fromClient: boolean) => {
    const compression = (fromClient ? flow.clientAlgorithms : flow.serverAlgorithms)?.compression ?? 'none';
    return knowledge.directionSizes(flow.shape(fromClient), compression !== 'none');
  };
  return { client: direction(true), server: direction(false) };
}

/// `found` is told of every script; `pollOwner` names the session of a poll.
export function newWatches(
  flow: SshFlow,
  knowledge: SshKnowledge,
  weight: FlowWeight,
  found: (script: SshScript, strict: boolean) => void,
  pollOwner: (reversed: boolean, kind: number, assumption: number, askedUs: number) => PollOwner,
): Watches {
  const { tls, ssh, windows } = knowledge;
  weight.add(WATCHES_BYTES);
  const { client, server } = flowSizes(flow, knowledge);
  const slack = Math.max(client.slack, server.slack);
  const polls = (reversed: boolean) =>
    new PollWatch(
      reversed,
      tls,
      ssh,
      knowledge.pollTable(flow.shape(reversed), flow.shape(!reversed)),
      slack,
      weight,
      (kind, assumption, askedUs) => pollOwner(reversed, kind, assumption, askedUs),
    );
  const channels = (reversed: boolean) =>
    new ChannelWatch(!reversed, ssh, flow.shape(!reversed), flow.shape(reversed), slack > 0);
  return {
    client,
    server,
    script: new ScriptWatch(ssh, windows, client, server, (script) => found(script, true)),
    tolerant: new TolerantWatch(ssh, windows, client, server, (script) => found(script, false)),
    polls: [polls(false), polls(true)],
    channels: [channels(false), channels(true)],
  };
}
