/// Ports of tunnels in UDP. Read by both compilers, as `layout.ts`.

export const PORT_L2TP = 1701;
export const PORT_GTP_U = 2152;
export const PORT_TEREDO = 3544;
export const PORT_GRE = 4754;
export const PORT_VXLAN = 4789;
export const PORT_VXLAN_GPE = 4790;
export const PORT_CAPWAP_DATA = 5247;
export const PORT_GENEVE = 6081;
export const PORT_MPLS = 6635;
/// What Linux used before the port was assigned.
export const PORT_VXLAN_LINUX = 8472;
export const PORT_TZSP = 37008;

/// True if a datagram of these ports may be a tunnel. Those whose answers come
/// back from the same port are looked for in both directions.
export function isTunnelPort(source: number, destination: number): boolean {
  switch (destination) {
    case PORT_L2TP:
    case PORT_GTP_U:
    case PORT_TEREDO:
    case PORT_GRE:
    case PORT_VXLAN:
    case PORT_VXLAN_GPE:
    case PORT_CAPWAP_DATA:
    case PORT_GENEVE:
    case PORT_MPLS:
    case PORT_VXLAN_LINUX:
    case PORT_TZSP:
      return true;
    default:
      return source === PORT_L2TP || source === PORT_TEREDO || source === PORT_CAPWAP_DATA;
  }
}
