/// SoftEther VPN inside R-UDP, its own TCP over UDP, DNS or ICMP: the same
/// log-in as over TCP, but for the welcome.

import type { TlsSessionProfile } from '../detect/profile.js';
import { softetherTls } from './softether-tls.js';

export const softetherRudp: TlsSessionProfile = {
  ...softetherTls,
  id: 'softether.rudp',
  title: 'SoftEther VPN session over R-UDP',
  script: {
    ...softetherTls.script,
    welcome: {
      min: softetherTls.script.welcome.min,
      max: 6500,
      source:
        'Protocol.c: PackWelcome with the warning about NAT traversal in Msg, 1 to 2 kB more: 4,503 to 5,222 recorded',
    },
  },
};
