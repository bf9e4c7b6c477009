/// What a profile can say. A profile is data: what one way of travelling looks
/// like, each number with its source. The evaluators beside this file are code.

import type { VerdictRules } from './verdict.js';

/// An inclusive range and where it comes from: a source file and function, an
/// RFC, or a fact measured on recordings.
export interface Range {
  min: number;
  max: number;
  source: string;
}

/// A single number and where it comes from.
export interface Limit {
  value: number;
  source: string;
}

/// What can be tested on a session. A clause names the evidence that it gives.
export type Clause =
  | 'start-script'
  | 'start-turns'
  | 'probe'
  | 'first-records'
  | 'additional-connection'
  | 'keep-alive'
  | 'hub-poll'
  | 'repeated-poll'
  | 'poll-rhythm'
  | 'frame-sizes'
  | 'plain-blocks'
  | 'attach-script'
  | 'attach-turns'
  | 'keep-alive-law'
  | 'server-keep-alive'
  | 'siblings'
  | 'one-way-pair'
  | 'nonce-chain'
  | 'rudp'
  | 'rudp-chain';

/// SoftEther VPN over TLS over TCP. Message sizes are bytes of plaintext in a
/// TLS record; every message of the script is one record, alone in its turn.
export interface TlsSessionProfile {
  id: string;
  title: string;
  status: 'stable' | 'experimental';
  product: string;
  /// What the client is, where it is not the product's own.
  clientProduct: string | null;
  /// The client may write the header of a message and its body as two records.
  splitMessages: boolean;
  /// What a message is measured as: the plaintext of one TLS record, or the payload of a turn.
  unit: 'records' | 'turns';
  references: readonly string[];
  falsePositives: readonly string[];
  script: {
    /// Most NewSessionTicket records before the first answer.
    maxTickets: Limit;
    /// Most bytes of such a record.
    maxTicketBytes: Limit;
    /// Most seconds between a message and its answer.
    maxAnswerUs: Limit;
    /// `GET /` that asks whether the server is SoftEther, and its answer.
    probe: Range;
    probeAnswer: Range;
    /// The answers that servers are known to give; they make the probe evidence.
    knownProbeAnswers: readonly Range[];
    /// The picture that opens the protocol, and the server's greeting.
    signature: Range;
    hello: Range;
    /// Sent in pairs while the user is asked something on the screen.
    noop: Range;
    noopAnswer: Range;
    minNoopGapUs: Limit;
    /// Log-in of a session's first connection, and the answer that lets it in.
    login: Range;
    welcome: Range;
    /// The same for a further connection of the session.
    attach: Range;
    attachAnswer: Range;
  };
  /// What both sides send at once when the tunnel begins.
  firstRecords: { client: Limit; server: Limit; withinUs: Limit };
  /// Blocks that are sent when there is nothing to send.
  keepAlive: {
    plaintext: Range;
    gapUs: Range;
    /// A record is spontaneous if the other side has been silent for so long.
    quietUs: Limit;
    /// The least distance, which is drawn most often, and its share.
    leastGapUs: Range;
    leastGapShare: Range;
    /// Fewest keep-alives from each side, over the directions that hold little else.
    minEach: Limit;
    /// Most other records that came too soon, for each keep-alive of a direction.
    maxUnexplained: Limit;
    /// So many keep-alives with the right share of least distances count in any company.
    minWithShare: Limit;
    /// Fewest keep-alives from the server where those of the client are not known.
    minFromServer: Limit;
    /// Their sizes are random: smallest difference between the least and the greatest.
    minSpread: Limit;
  };
  /// The hub asks known addresses whether they are still there.
  hubPoll: {
    arp: Limit;
    arpPadded: Limit;
    neighbourSolicitation: Limit;
    neighbourAdvertisement: Limit;
    withinUs: Limit;
    minPairs: Limit;
    /// So many show more than a chance pair, whatever time lies between them.
    minRepeated: Limit;
    /// Time from one poll of the same kind to the next, and fewest such times.
    periodUs: Range;
    minPeriods: Limit;
  };
  /// Ethernet frames in records: small records have few sizes.
  frameSizes: {
    /// Plaintext of one block with one frame of a common small size.
    sizes: { values: readonly number[]; source: string };
    /// Records up to this size are looked at.
    smallMax: Limit;
    minRecords: Limit;
    minShare: Limit;
    minDifferent: Limit;
  };
  /// Records that no block of the tunnel can be: more than these rule a tunnel out.
  tinyRecords: { most: Limit };
  /// Blocks in clear after the log-in.
  /// From each side, or from one alone where the log-in was not captured.
  plainBlocks: { minBlocks: Limit; minAlone: Limit };
  /// UDP ports that a server takes for acceleration, the lowest free one.
  accelerationPorts: Range;
  /// Further connections to the same server.
  additional: { max: Limit };
  /// Connections that were up before the capture began.
  running: {
    /// After so many records without anything of a tunnel a flow is let go.
    patience: Limit;
    /// Live, what runs or is read by volumes is told so long after its first packet: an earlier
    /// connection of the same session may still show itself, and would be its first.
    settleUs: Limit;
    /// Share of small records that hold one frame, below which they say nothing.
    minFrameShare: Limit;
    /// Keep-alives, from both sides together, that show the law without the log-in.
    minKeepAlives: Limit;
    /// Connections of one client to one server port at the same time.
    minSiblings: Limit;
    /// Records of a connection with one direction only, of a session that is half duplex.
    minOneWay: Limit;
    /// R-UDP without bulk packets that lasts longer is no attempt beside another way of connecting.
    maxRudpAttemptUs: Limit;
    /// Longest silence of R-UDP: a flow that shows later than this began inside the capture.
    maxRudpSilenceUs: Limit;
  };
  /// A protocol of ALPN that no client offers: a connection that does is none.
  neverOffered: { protocol: string; source: string };
  verdict: VerdictRules<Clause>;
}

/// A session told by the volumes of its turns: sizes of the script are bytes
/// of TCP payload of a whole turn, what TLS adds included.
export interface TurnProfile extends TlsSessionProfile {
  unit: 'turns';
  /// Turns of a conversation with a proxy before the handshake.
  maxProxyTurns: Limit;
  handshake: {
    hello: Range;
    flight: Range;
    /// What may follow in turns of its own before the script: the end of the
    /// handshake of TLS 1.2, or a Finished message and tickets.
    moreFromClient: Range;
    moreFromServer: Range;
  };
  /// The server's tickets, which may come while the client speaks.
  tickets: Range;
  /// Silence of the server that ends the welcome: what follows is the tunnel.
  welcomePauseUs: Limit;
}

/// SoftEther without a session: what is no tunnel, but says who is there.
export interface TraceProfile {
  id: string;
  title: string;
  product: string;
  /// The server's answer to a log-in that it refuses.
  refusal: Range;
  /// A management connection: its log-in, the answer, and calls that are
  /// answered one by one.
  admin: {
    request: Range;
    answer: Range;
    call: Range;
    /// Calls that management tools begin with, in their order.
    firstCalls: { values: readonly number[]; source: string };
    minCalls: Limit;
  };
  keepAliveText: string;
  azureSignature: string;
  ddnsServerName: string;
  /// Names in lower case.
  names: readonly { suffix: string; kind: string }[];
  /// Vendor IDs of an IPsec server, in hexadecimal and in this order.
  ike: { vendorIds: readonly string[]; source: string };
  /// What the answer of an L2TP server holds, in this order, and the name of its maker.
  l2tp: { attributes: readonly number[]; vendorName: string; source: string };
  /// The certificate that a server makes for itself.
  certificate: {
    serial: string;
    /// Of subject and issuer, in this order; all but the country have one value.
    attributes: readonly string[];
    country: string;
    purposes: readonly string[];
    source: string;
  };
}
