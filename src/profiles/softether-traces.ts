/// What SoftEther VPN leaves on the wire besides sessions: refused log-ins,
/// administration, and what servers and clients say to their makers' servers.
///
/// Sources: S4 = SoftEtherVPN_Stable ed17437a (4.44), S5 = SoftEtherVPN cf559617 (5.02).

import type { TraceProfile } from '../detect/profile.js';

export const softetherTraces: TraceProfile = {
  id: 'softether.traces',
  title: 'SoftEther VPN without a session',
  product: 'SoftEther VPN',
  refusal: {
    min: 220,
    max: 1250,
    source: 'Protocol.c: an error alone: 48 + 172 to 174 header + pencore (facts 2.5)',
  },
  admin: {
    request: {
      min: 670,
      max: 1740,
      source: 'Admin.c: AdminConnectMain: 448 + client name and OS title + header + pencore (facts 2.8)',
    },
    answer: { min: 250, max: 1250, source: 'Admin.c: error, empty_password, pencore + header (facts 2.8)' },
    call: {
      min: 37,
      max: 16_384,
      source: 'Remote.c: CallRpc: 4 + PACK with function_name; 16,384 is the largest TLS record',
    },
    firstCalls: {
      values: [387, 44],
      source:
        'GetServerInfo and GetCaps, called by vpncmd and the Server Manager on connecting; recorded with 4.44.9807 and 5.01.9674',
    },
    minCalls: { value: 1, source: 'an administrator who connects asks at least for the capabilities' },
  },
  keepAliveText: 'Internet Connection Keep Alive Packet',
  azureSignature: 'ACTL',
  /// S4 and S5 DDNS.c, Wpc.c: the fixed server name of their HTTPS calls.
  ddnsServerName: 'DDNS',
  /// The first that fits names the kind.
  names: [
    { suffix: 'nat-traversal.softether-network.net', kind: 'nat-traversal' },
    { suffix: 'nat-traversal.uxcom.jp', kind: 'nat-traversal' },
    { suffix: 'ddns.softether-network.net', kind: 'dynamic-dns' },
    { suffix: 'ddns.uxcom.jp', kind: 'dynamic-dns' },
    { suffix: 'update-check.softether-network.net', kind: 'update-check' },
    { suffix: 'update-check.uxcom.jp', kind: 'update-check' },
    { suffix: 'keepalive.softether.org', kind: 'keep-alive' },
    { suffix: 'vpnazure.net', kind: 'azure' },
    { suffix: 'softether-network.net', kind: 'contact' },
    { suffix: 'softether.org', kind: 'contact' },
    { suffix: 'softether.net', kind: 'contact' },
    { suffix: 'opengw.net', kind: 'contact' },
    { suffix: 'uxcom.jp', kind: 'contact' },
  ],
  ike: {
    vendorIds: [
      '4a131c81070358455c5728f20e95452f',
      '7d9419a65310ca6f2c179d9215529d56',
      '90cb80913ebb696e086381b5ec427b1f',
      'cd60464335df21f87cfdb2fc68b6a448',
      '4485152d18b6bbcd0be8a8469579ddcc',
      'afcad71368a1f1c96b8696fc77570100',
    ],
    source:
      'S4 and S5 Proto_IKE.c: main mode message 2 adds these six in this order (facts 9); recorded with 5.01.9674. Each is a public extension (NAT traversal, dead peers); other servers name those that the client asked for',
  },
  l2tp: {
    /// Message type, protocol version, framing, bearers, host name, vendor name, tunnel, window.
    attributes: [0, 2, 3, 4, 7, 8, 9, 10],
    vendorName: 'L2TP',
    source: 'S4 and S5 Proto_L2TP.c (facts 9); recorded with 5.01.9674. Others name their maker',
  },
  certificate: {
    serial: '00',
    attributes: ['CN', 'O', 'OU', 'C'],
    country: 'US',
    /// serverAuth, clientAuth, codeSigning, emailProtection, ipsecEndSystem,
    /// ipsecTunnel, ipsecUser, timeStamping, OCSPSigning.
    purposes: [
      '1.3.6.1.5.5.7.3.1',
      '1.3.6.1.5.5.7.3.2',
      '1.3.6.1.5.5.7.3.3',
      '1.3.6.1.5.5.7.3.4',
      '1.3.6.1.5.5.7.3.5',
      '1.3.6.1.5.5.7.3.6',
      '1.3.6.1.5.5.7.3.7',
      '1.3.6.1.5.5.7.3.8',
      '1.3.6.1.5.5.7.3.9',
    ],
    source: 'S4 and S5 Server.c: SiGenerateDefaultCertEx; Encrypt.c: NewRootX509 (facts 1.5)',
  },
};
