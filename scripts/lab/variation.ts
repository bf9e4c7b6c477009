/**
 * What differs from one installation to the next: names, addresses,
 * certificates, TLS settings. All of it is drawn anew for every recording, so
 * that nothing that belongs to one installation can be mistaken for a trait of
 * SoftEther. Addresses come from private and documentation ranges only.
 */
import type { Random } from './random.js';

export type KeyType = 'rsa2048' | 'rsa3072' | 'rsa4096' | 'ec256' | 'ec384';

/** How the lab's name server treats names that it does not know itself. */
export type NameService = 'answers' | 'nxdomain' | 'closed';

export interface Site {
  readonly clientAddress: string;
  readonly clientGateway: string;
  readonly serverAddress: string;
  readonly serverGateway: string;
  /** Where every foreign name points when the name service answers: an address without services. */
  readonly elsewhere: string;
  readonly clientHost: string;
  readonly serverHost: string;
  readonly serverName: string;
  readonly nameService: NameService;
  readonly tunnelServer: string;
  readonly tunnelClient: string;
  /** A second client beside the first, and the host that runs proxies and sshd. */
  readonly secondAddress: string;
  readonly secondHost: string;
  readonly tunnelSecond: string;
  readonly proxyAddress: string;
  readonly proxyGateway: string;
  readonly proxyHost: string;
  readonly clientAddress6: string;
  readonly clientGateway6: string;
  readonly serverAddress6: string;
  readonly serverGateway6: string;
}

/** A certificate to make. `extraNames` and `chain` change the size of what the server shows. */
export interface CertificateWish {
  readonly key: KeyType;
  readonly commonName: string;
  readonly organization: string;
  readonly extraNames: number;
  readonly chain: boolean;
}

export type ServerCertificate =
  | { readonly kind: 'made-by-server' }
  | { readonly kind: 'regenerated'; readonly commonName: string }
  | ({ readonly kind: 'loaded' } & CertificateWish);

/** The TLS side of a look-alike server. */
export interface TlsSettings {
  readonly version: '1.2' | '1.3';
  readonly tickets: number;
  /** Stateful tickets are short, as SoftEther's are; the usual ones hold the whole session. */
  readonly statefulTickets: boolean;
  readonly alpn: boolean;
  readonly serverName: boolean;
  readonly certificate: CertificateWish;
}

const PLACES = [
  'oak',
  'harbour',
  'mill',
  'north',
  'lake',
  'granite',
  'cedar',
  'quay',
  'meadow',
  'ridge',
  'fjord',
];
const KINDS = ['gw', 'srv', 'edge', 'box', 'office', 'node', 'relay', 'depot', 'main', 'lab'];
const CLIENTS = ['laptop', 'desk', 'pc', 'thinkpad', 'workstation', 'notebook', 'kiosk'];
const DOMAINS = ['example.com', 'example.net', 'example.org', 'corp.example', 'lan.test', 'branch.test'];
const COMPANIES = [
  'Lakeside Printing',
  'Example Freight Ltd',
  'Nine Elms Dental',
  'Ostrava Foundry',
  'ACME',
  'Test',
];

function hostName(random: Random): string {
  const kind = random.pick(KINDS);
  return random.pick([kind, `${random.pick(PLACES)}-${kind}`, `${random.pick(PLACES)}${random.int(1, 999)}`]);
}

/** `more` draws what came later, so that a seed goes on giving what it gave. */
export function drawSite(random: Random, more: Random): Site {
  const clientNet = `10.${random.int(0, 63)}.${random.int(0, 255)}`;
  const serverNet = random.pick(['203.0.113', '198.51.100']);
  const elsewhere = serverNet === '203.0.113' ? '198.51.100' : '203.0.113';
  const tunnelNet = `10.${random.int(64, 250)}.${random.int(0, 255)}`;
  const serverHost = hostName(random);
  const clientNumber = random.int(2, 254);
  const proxyNet = `172.${more.int(16, 31)}.${more.int(0, 255)}`;
  const net6 = (kind: string) => `2001:db8:${kind}${more.int(0x10, 0xff).toString(16)}`;
  const [clientNet6, serverNet6] = [net6('1'), net6('2')];
  const base = {
    clientAddress: `${clientNet}.${clientNumber}`,
    clientGateway: `${clientNet}.1`,
    serverAddress: `${serverNet}.${random.int(2, 254)}`,
    serverGateway: `${serverNet}.1`,
    elsewhere: `${elsewhere}.${random.int(2, 254)}`,
    clientHost: `${random.pick(CLIENTS)}${random.pick(['', '-1', '07', '-win', `-${random.text(5)}`])}`,
    serverHost,
    serverName: `${random.pick([serverHost, 'vpn', 'remote', 'access', 'www'])}.${random.pick(DOMAINS)}`,
    nameService: random.pick<NameService>(['answers', 'nxdomain', 'closed']),
    tunnelServer: `${tunnelNet}.1`,
    tunnelClient: `${tunnelNet}.${random.int(2, 254)}`,
  };
  return {
    ...base,
    secondAddress: `${clientNet}.${clientNumber < 128 ? clientNumber + 7 : clientNumber - 7}`,
    secondHost: `${more.pick(CLIENTS)}-${more.text(4)}`,
    tunnelSecond: base.tunnelClient.endsWith('.77') ? `${tunnelNet}.78` : `${tunnelNet}.77`,
    proxyAddress: `${proxyNet}.${more.int(2, 254)}`,
    proxyGateway: `${proxyNet}.1`,
    proxyHost: hostName(more),
    clientAddress6: `${clientNet6}::${more.int(0x10, 0xffff).toString(16)}`,
    clientGateway6: `${clientNet6}::1`,
    serverAddress6: `${serverNet6}::${more.int(0x10, 0xffff).toString(16)}`,
    serverGateway6: `${serverNet6}::1`,
  };
}

function drawCertificate(random: Random, commonName: string, keys: readonly KeyType[]): CertificateWish {
  return {
    key: random.pick(keys),
    commonName,
    organization: random.pick(COMPANIES),
    extraNames: random.int(0, 6),
    chain: random.chance(0.4),
  };
}

/** SoftEther makes its own RSA certificate from the host name; an administrator may replace it. */
export function drawServerCertificate(random: Random, site: Site): ServerCertificate {
  const kind = random.pick(['made-by-server', 'made-by-server', 'regenerated', 'loaded'] as const);
  if (kind === 'made-by-server') return { kind };
  if (kind === 'regenerated') return { kind, commonName: site.serverName };
  const wish = drawCertificate(random, site.serverName, ['rsa2048', 'rsa3072', 'rsa4096']);
  return { kind, ...wish, chain: false };
}

/** `ordinal` counts through version and ticket number, so that one set of look-alikes holds all of them. */
export function drawTls(random: Random, site: Site, ordinal: number): TlsSettings {
  const version = ordinal % 3 === 0 ? '1.2' : '1.3';
  return {
    version,
    tickets: [2, 2, 1, 3, 0][ordinal % 5]!,
    statefulTickets: random.chance(0.5),
    alpn: random.chance(0.4),
    serverName: random.chance(0.6),
    certificate: drawCertificate(random, site.serverName, [
      'rsa2048',
      'rsa2048',
      'rsa3072',
      'rsa4096',
      'ec256',
      'ec384',
    ]),
  };
}
