/// What stands around an IP packet: tags, labels and tunnels, from the outside in.

import { MAX_LAYERS } from './limits.js';

export const LAYER_VLAN = 0;
export const LAYER_VN_TAG = 1;
export const LAYER_E_TAG = 2;
export const LAYER_PBB = 3;
export const LAYER_MPLS = 4;
export const LAYER_PPPOE = 5;
export const LAYER_IP = 6;
export const LAYER_GRE = 7;
export const LAYER_NVGRE = 8;
export const LAYER_PPTP = 9;
export const LAYER_ERSPAN = 10;
export const LAYER_ETHERIP = 11;
export const LAYER_VXLAN = 12;
export const LAYER_GENEVE = 13;
export const LAYER_GTP_U = 14;
export const LAYER_TEREDO = 15;
export const LAYER_TZSP = 16;
export const LAYER_CAPWAP = 17;
export const LAYER_L2TP = 18;

/// The names of the kinds in the report, by number.
export const LAYER_NAMES = [
  'vlan',
  'vn-tag',
  'e-tag',
  'pbb',
  'mpls',
  'pppoe',
  'ip',
  'gre',
  'nvgre',
  'pptp',
  'erspan',
  'etherip',
  'vxlan',
  'geneve',
  'gtp-u',
  'teredo',
  'tzsp',
  'capwap',
  'l2tp',
] as const;

export type LayerName = (typeof LAYER_NAMES)[number];

/// A copy of one layer.
export interface Layer {
  kind: LayerName;
  /// VLAN id, label, VNI, TEID, key, session; null where the kind has none.
  id: number | null;
  /// The outer IP addresses of a tunnel, 4 or 16 bytes each.
  source: Uint8Array | null;
  destination: Uint8Array | null;
}

/// Kinds whose number tells networks apart: those that `setTenant` is called for.
const NETWORK_KINDS: readonly LayerName[] = ['pbb', 'nvgre', 'vxlan', 'geneve'];

/// The network that packets inside these layers belong to, as text; empty for none.
export function networkOf(layers: readonly Layer[]): string {
  const network = layers.findLast(({ kind }) => NETWORK_KINDS.includes(kind));
  return network === undefined ? '' : `${network.kind} ${network.id}`;
}

const NO_ID = -1;
export const NO_LAYERS: readonly Layer[] = [];
const ADDRESS_WORDS = 8;

/// Fixed arrays, filled again for every frame.
export class LayerStack {
  count = 0;
  /// Which of several networks with the same addresses the packet belongs to:
  /// kind and number of the innermost layer that says so, alike in both
  /// directions; 0 for none.
  tenant = 0;
  private readonly kinds = new Uint8Array(MAX_LAYERS);
  private readonly ids = new Float64Array(MAX_LAYERS);
  private readonly versions = new Uint8Array(MAX_LAYERS);
  private readonly addresses = new Int32Array(MAX_LAYERS * ADDRESS_WORDS);

  clear(): void {
    this.count = 0;
    this.tenant = 0;
  }

  /// Takes back what was pushed since there were `count` layers.
  restore(count: number, tenant: number): void {
    this.count = count;
    this.tenant = tenant;
  }

  /// Adds a layer without addresses; false if there is no room for it.
  push(kind: number, id: number = NO_ID): boolean {
    const { count } = this;
    if (count === MAX_LAYERS) return false;
    this.kinds[count] = kind;
    this.ids[count] = id;
    this.versions[count] = 0;
    this.count = count + 1;
    return true;
  }

  /// Adds a tunnel inside the IP packet of this version whose addresses lie at `addressesAt`.
  pushTunnel(
    kind: number,
    view: DataView,
    version: number,
    addressesAt: number,
    id: number = NO_ID,
  ): boolean {
    if (!this.push(kind, id)) return false;
    const layer = this.count - 1;
    this.versions[layer] = version;
    const words = version === 4 ? 2 : ADDRESS_WORDS;
    for (let i = 0; i < words; i++) {
      this.addresses[layer * ADDRESS_WORDS + i] = view.getInt32(addressesAt + 4 * i, false);
    }
    return true;
  }

  /// The packet belongs to the network with this 24-bit number.
  setTenant(kind: number, network: number): void {
    this.tenant = (kind << 24) | network;
  }

  /// Copies, the outermost first; nothing is made if there are none.
  copy(): readonly Layer[] {
    if (this.count === 0) return NO_LAYERS;
    return Array.from({ length: this.count }, (_, layer) => {
      const id = this.ids[layer]!;
      const version = this.versions[layer]!;
      return {
        kind: LAYER_NAMES[this.kinds[layer]!]!,
        id: id === NO_ID ? null : id,
        source: version === 0 ? null : this.address(layer, version, 0),
        destination: version === 0 ? null : this.address(layer, version, 1),
      };
    });
  }

  private address(layer: number, version: number, which: 0 | 1): Uint8Array {
    const words = version === 4 ? 1 : 4;
    const bytes = new Uint8Array(4 * words);
    const view = new DataView(bytes.buffer);
    const from = layer * ADDRESS_WORDS + which * words;
    for (let i = 0; i < words; i++) view.setInt32(4 * i, this.addresses[from + i]!, false);
    return bytes;
  }
}
