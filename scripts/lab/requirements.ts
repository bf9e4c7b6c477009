/** Says what the lab needs and does not find, before anything is set up. The lab installs nothing itself. */
import { accessSync, constants, existsSync } from 'node:fs';

const PROGRAMS: Readonly<Record<string, string>> = {
  vpnserver: 'softether-vpnserver',
  vpnclient: 'softether-vpnclient',
  vpncmd: 'softether-vpncmd',
  tcpdump: 'tcpdump',
  tshark: 'tshark',
  dumpcap: 'wireshark-common',
  editcap: 'wireshark-common',
  setcap: 'libcap2-bin',
  setpriv: 'util-linux',
  ip: 'iproute2',
  ethtool: 'ethtool',
  sysctl: 'procps',
  unshare: 'util-linux',
  ping: 'iputils-ping',
  curl: 'curl',
  openssl: 'openssl',
  dnsmasq: 'dnsmasq-base',
  openvpn: 'openvpn',
  stunnel4: 'stunnel4',
  sshd: 'openssh-server',
  ssh: 'openssh-client',
  nft: 'nftables',
  python3: 'python3',
  tinyproxy: 'tinyproxy-bin',
  squid: 'squid',
  danted: 'dante-server',
  microsocks: 'microsocks',
  ocserv: 'ocserv',
  openconnect: 'openconnect',
  'wireguard-go': 'wireguard-go',
  wg: 'wireguard-tools',
  mosquitto: 'mosquitto',
  mosquitto_sub: 'mosquitto-clients',
};

const FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

function isInstalled(program: string): boolean {
  return FOLDERS.some((folder) => {
    try {
      accessSync(`${folder}/${program}`, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** One sentence on what is missing, or undefined. */
export function missing(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    return 'The lab makes network namespaces and so needs Linux and root.';
  }
  if (!existsSync('/dev/net/tun')) return 'The lab needs /dev/net/tun, which this kernel does not offer.';
  const packages = Object.entries(PROGRAMS).filter(([program]) => !isInstalled(program));
  if (packages.length === 0) return undefined;
  const names = [...new Set(packages.map(([, name]) => name))].join(' ');
  return `Please install the missing Debian packages: apt-get install --no-install-recommends ${names}`;
}
