/// Hands the bytes of one SSH connection to its analysis, and what it finds to the sessions.

import type { FlowWeight } from '../flow/flow-weight.js';
import type { MemoryBudget } from '../flow/memory-budget.js';
import { SshGuess } from '../flow/ssh/ssh-guess.js';
import type { StreamAnalysis, TcpFlow } from '../flow/tcp-flow.js';
import { connectionOf, type FlowFacts } from './connection.js';
import { isAtLeast } from './findings.js';
import { SshAnalysis, type SshSession } from './ssh-analysis.js';
import type { SshKnowledge } from './ssh-sizes.js';

/// A session found in an SSH connection.
export interface SshFinding {
  facts: FlowFacts;
  session: SshSession;
}

export class SshConnection implements StreamAnalysis {
  private readonly analysis: SshAnalysis;
  private started = false;
  /// While only a guess says that this is SSH.
  private guess: { client: SshGuess; server: SshGuess } | null = null;

  constructor(
    knowledge: SshKnowledge,
    private readonly input: number,
    budget: MemoryBudget,
    weight: FlowWeight,
    private readonly found: (finding: SshFinding) => void,
  ) {
    this.analysis = new SshAnalysis(knowledge, input, budget, weight);
  }

  bytes(
    flow: TcpFlow,
    fromClient: boolean,
    bytes: Uint8Array,
    at: number,
    length: number,
    timeUs: number,
    frame: number,
  ): boolean {
    this.start(flow, timeUs);
    const { ssh } = this.analysis;
    const fits = this.guess?.[fromClient ? 'client' : 'server'].fits(length) ?? true;
    if (fits) ssh.bytes(fromClient, bytes, at, length, timeUs, frame);
    if (fits && !ssh.notSsh) return true;
    ssh.reset();
    return false;
  }

  missing(flow: TcpFlow, fromClient: boolean, length: number, timeUs: number, frame: number): void {
    this.start(flow, timeUs);
    this.guess?.[fromClient ? 'client' : 'server'].missing(length);
    this.analysis.ssh.missing(fromClient, length, timeUs, frame);
  }

  soFar(flow: TcpFlow): void {
    this.tell(flow, this.analysis.soFar());
  }

  end(flow: TcpFlow): void {
    this.tell(flow, this.analysis.end());
    this.analysis.ssh.reset();
  }

  private tell(flow: TcpFlow, found: readonly SshSession[]): void {
    // What only a guess takes for SSH has to show more than suspicion.
    const sessions = found.filter(({ verdict }) => !flow.guessed || isAtLeast(verdict, 'likely'));
    if (sessions.length === 0) return;
    const facts = connectionOf(flow, this.input);
    for (const session of sessions) this.found({ facts: { ...facts, carrier: 'ssh' }, session });
  }

  private start(flow: TcpFlow, timeUs: number): void {
    if (this.started) return;
    this.started = true;
    if (flow.guessed) this.guess = { client: new SshGuess(), server: new SshGuess() };
    if (flow.midstream) this.analysis.ssh.beginInside();
    if (flow.startSeen) this.analysis.roundTripUs = timeUs - flow.firstUs;
  }
}
