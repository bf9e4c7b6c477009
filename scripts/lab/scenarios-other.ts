/** What a SoftEther server sees besides sessions: failed log-ins, administration, other protocols, nobody. */
import {
  type AttemptScenario,
  COMMON,
  type ManagementScenario,
  SAMPLE,
  SERVER,
  type SoftEtherScenario,
} from './scenario-types.js';

const ATTEMPT = { ...COMMON, ...SERVER, kind: 'attempt', retries: 3 } as const;
const MANAGEMENT = {
  ...COMMON,
  ...SERVER,
  kind: 'management',
  commands: [
    'ServerInfoGet',
    'ServerStatusGet',
    'HubList',
    'Hub VPN',
    'UserList',
    'SessionList',
    'MacTable',
    'LogGet',
    'ListenerList',
    'Caps',
  ],
} as const;

const CLONE = { ...COMMON, ...SERVER, kind: 'clone' } as const;

export const FIRST_OTHERS: readonly (AttemptScenario | ManagementScenario)[] = [
  {
    ...ATTEMPT,
    ...SAMPLE,
    name: 'failed-login',
    description: 'wrong password, the client tries again every 5 s',
    wrong: 'password',
  },
  { ...MANAGEMENT, ...SAMPLE, name: 'management', description: 'server administration with vpncmd' },
];

export const OTHERS: readonly SoftEtherScenario[] = [
  {
    ...ATTEMPT,
    ...SAMPLE,
    name: 'fail-hub',
    description: 'the hub does not exist, the client tries again every 5 s',
    wrong: 'hub',
  },
  {
    ...ATTEMPT,
    name: 'fail-password-tls12',
    description: 'wrong password, server limited to TLS 1.2',
    wrong: 'password',
    tls: '1.2',
    port: 5555,
  },
  { ...ATTEMPT, name: 'fail-noserver', description: 'no server on that host (RST)', wrong: 'no-server' },
  {
    ...ATTEMPT,
    ...SAMPLE,
    name: 'fail-notse',
    description: 'the server is an ordinary HTTPS server',
    wrong: 'not-softether',
  },
  { ...MANAGEMENT, name: 'mgmt-5555', description: 'server administration over 5555', port: 5555 },
  {
    ...MANAGEMENT,
    name: 'mgmt-tls12',
    description: 'server administration, server limited to TLS 1.2',
    tls: '1.2',
  },
  {
    ...COMMON,
    ...SAMPLE,
    kind: 'self',
    name: 'fresh-server-fakedns',
    description: "a new server with its default settings; its maker's names are answered",
    names: 'answered',
    seconds: 75,
  },
  {
    ...COMMON,
    kind: 'self',
    name: 'fresh-server-nodns',
    description: 'a new server with its default settings; its name server never answers',
    names: 'unanswered',
    seconds: 75,
  },
  {
    ...COMMON,
    ...SERVER,
    ...SAMPLE,
    kind: 'clone',
    speaks: 'openvpn',
    name: 'se-openvpn-tcp443',
    description: 'OpenVPN client to the SoftEther server on TCP 443',
    protocol: 'tcp',
  },
  {
    ...COMMON,
    ...SERVER,
    kind: 'clone',
    speaks: 'openvpn',
    name: 'se-openvpn-udp1194',
    description: 'OpenVPN client to the SoftEther server on UDP 1194',
    protocol: 'udp',
    port: 1194,
  },
  {
    ...CLONE,
    ...SAMPLE,
    name: 'se-ipsec-500',
    description: 'IKE main mode, as far as the answer of the SoftEther server',
    speaks: 'ike',
    protocol: 'udp',
    port: 500,
  },
  {
    ...CLONE,
    ...SAMPLE,
    name: 'se-l2tp-1701',
    description: 'L2TP without IPsec, as far as the answer of the SoftEther server',
    speaks: 'l2tp',
    protocol: 'udp',
    port: 1701,
  },
];
