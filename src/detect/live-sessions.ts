/// Sessions while they run: what is new about each, told once. A verdict that
/// was told is never taken back.

import { isAtLeast, type Session } from './findings.js';
import { SESSION_SURVIVES_US } from './grouping.js';
import type { TlsSessionProfile } from './profile.js';
import type { Candidate, Judged, SessionFacts } from './sessions.js';

/// News of one session. Its id stays the same.
export interface SessionChange {
  /// `reached`: the first verdict, or a higher one. `update`: more connections, more
  /// evidence. `ended`: the last word, with volumes and times.
  kind: 'reached' | 'update' | 'ended';
  session: Session;
}

/// A session that is confirmed can only get more evidence: it is looked at again so often only.
const UPDATE_US = 5_000_000;

const FLOOR_CAVEAT = 'The verdict was reached while the session ran; all of it taken together shows less.';

interface Known {
  /// As told last; null if there was nothing to tell yet.
  told: Session | null;
  facts: SessionFacts | null;
  flows: readonly string[];
  /// When it was judged last, and its packets then.
  judgedUs: number;
  packets: number;
  lastUs: number;
}

export class LiveSessions {
  private known: Known[] = [];
  private finished: Judged[] = [];

  constructor(
    private readonly profile: TlsSessionProfile,
    private readonly changed: (change: SessionChange) => void,
  ) {}

  /// Of the sessions that were told and are likely at least.
  get facts(): SessionFacts[] {
    return this.known.flatMap(({ facts }) => facts ?? []);
  }

  /// The sessions that were told for the last time since the last call.
  takeFinished(): Judged[] {
    return this.finished.splice(0);
  }

  /// Compares what may be a session with what was told. Returns those of which
  /// nothing more can come; they were told for the last time.
  compare(candidates: readonly Candidate[], nowUs: number): Candidate[] {
    const before = new Map(this.known.flatMap((known) => known.flows.map((flow) => [flow, known] as const)));
    const seen = new Set<Known>();
    const over: Candidate[] = [];
    this.known = [];
    for (const candidate of candidates) {
      const found = candidate.flows
        .map((flow) => before.get(flow))
        .find((known) => known && !seen.has(known));
      const known = found ?? newKnown();
      seen.add(known);
      known.flows = candidate.flows;
      known.lastUs = candidate.lastUs;
      if (this.isOver(candidate, nowUs)) {
        this.end(known, candidate.judge());
        over.push(candidate);
        continue;
      }
      if (this.isDue(known, candidate, nowUs)) this.judge(known, candidate, nowUs);
      this.known.push(known);
    }
    for (const known of before.values()) {
      if (seen.has(known) || known.told === null) continue;
      seen.add(known);
      this.keepVanished(known, nowUs);
    }
    return over;
  }

  /// Its flows have ended, and a further one would have begun and been answered by now.
  private isOver({ ended, lastUs }: Candidate, nowUs: number): boolean {
    return ended && nowUs - lastUs > SESSION_SURVIVES_US + this.profile.script.maxAnswerUs.value;
  }

  private isDue(known: Known, { packets, settledUs }: Candidate, nowUs: number): boolean {
    if (packets === known.packets || nowUs < settledUs) return false;
    return known.told?.verdict !== 'confirmed' || nowUs - known.judgedUs >= UPDATE_US;
  }

  private judge(known: Known, candidate: Candidate, nowUs: number): void {
    known.packets = candidate.packets;
    known.judgedUs = nowUs;
    const judged = candidate.judge();
    if (judged !== null) this.tell(known, judged);
  }

  /// Tells what is new.
  private tell(known: Known, judged: Judged): void {
    const { told } = known;
    const session = this.keepVerdict(told, judged.session);
    known.facts = judged.facts ?? known.facts;
    if (told === null || !isAtLeast(told.verdict, session.verdict)) {
      known.told = session;
      this.changed({ kind: 'reached', session });
    } else if (isMore(session, told)) {
      known.told = session;
      this.changed({ kind: 'update', session });
    }
  }

  private end(known: Known, judged: Judged | null): void {
    if (judged !== null) this.tell(known, judged);
    const { told, facts } = known;
    if (told === null) return;
    const session = judged === null ? withFloor(told, told) : this.keepVerdict(told, judged.session);
    this.finished.push({ session, facts });
    this.changed({ kind: 'ended', session });
  }

  /// The session with the id and at least the verdict that were told.
  private keepVerdict(told: Session | null, session: Session): Session {
    if (told === null) return session;
    if (isAtLeast(session.verdict, told.verdict)) {
      return session.id === told.id ? session : { ...session, id: told.id };
    }
    return withFloor(told, session);
  }

  /// What was told is no candidate any more: its last word is what was told.
  private keepVanished(known: Known, nowUs: number): void {
    if (nowUs - known.lastUs > SESSION_SURVIVES_US) this.end(known, null);
    else this.known.push(known);
  }
}

function newKnown(): Known {
  return { told: null, facts: null, flows: [], judgedUs: 0, packets: -1, lastUs: 0 };
}

function withFloor({ id, verdict }: Session, session: Session): Session {
  return { ...session, id, verdict, caveats: [...new Set([...session.caveats, FLOOR_CAVEAT])] };
}

function isMore(session: Session, told: Session): boolean {
  const features = new Set(told.evidence.map(({ feature }) => feature));
  return (
    session.connections.length > told.connections.length ||
    session.evidence.some(({ feature }) => !features.has(feature))
  );
}
