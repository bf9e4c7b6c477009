/// How long a TLS record is for a plaintext of n bytes, by version and suite.
///
/// Sources: RFC 8446 section 5.2, RFC 5246 section 6.2.3, RFC 5288 (GCM),
/// RFC 6655 (CCM), RFC 7905 (ChaCha20-Poly1305), RFC 7366 (encrypt-then-MAC),
/// RFC 2246 section 6.2.3; measured against OpenSSL 3.0 as listed in the facts.

export const TLS_1_0 = 0x0301;
export const TLS_1_1 = 0x0302;
export const TLS_1_2 = 0x0303;
export const TLS_1_3 = 0x0304;

/// Turns a record's length field into the range of plaintext lengths that it can hold.
export interface RecordProtection {
  /// Fewest and most plaintext bytes of a record of `length`; both negative if
  /// no plaintext gives such a length.
  plaintextMin(length: number): number;
  plaintextMax(length: number): number;
  /// Record length of an empty fragment, which TLS 1.0 with CBC sends before
  /// each record (OpenSSL's guard against chosen plaintexts), else 0.
  readonly emptyRecord: number;
  /// Record length of a TLS 1.3 Finished message; 0 before TLS 1.3.
  readonly finishedRecord: number;
}

/// Every byte of plaintext shows: stream ciphers and AEAD.
class FixedOverhead implements RecordProtection {
  readonly emptyRecord = 0;
  constructor(
    private readonly overhead: number,
    readonly finishedRecord = 0,
  ) {}
  plaintextMin(length: number): number {
    return length - this.overhead;
  }
  plaintextMax(length: number): number {
    return length - this.overhead;
  }
}

/// Block ciphers in CBC mode pad to whole blocks: a length stands for as many
/// plaintext lengths as a block has bytes.
class BlockPadding implements RecordProtection {
  readonly finishedRecord = 0;
  readonly emptyRecord: number;
  constructor(
    private readonly block: number,
    private readonly mac: number,
    private readonly explicitIv: number,
    private readonly encryptThenMac: boolean,
    isTls10: boolean,
  ) {
    const paddedEmpty = encryptThenMac ? block + mac : block * Math.ceil((mac + 1) / block);
    this.emptyRecord = isTls10 ? explicitIv + paddedEmpty : 0;
  }
  plaintextMax(length: number): number {
    const fixed = this.explicitIv + this.mac;
    const padded = length - this.explicitIv - (this.encryptThenMac ? this.mac : 0);
    return padded % this.block === 0 ? length - fixed - 1 : -1;
  }
  plaintextMin(length: number): number {
    const most = this.plaintextMax(length);
    return most < 0 ? -1 : Math.max(0, most - this.block + 1);
  }
}

/// A protection that was copied as plain data.
export function restoreProtection(copied: RecordProtection): RecordProtection {
  const { prototype } = 'block' in copied ? BlockPadding : FixedOverhead;
  return Object.assign(Object.create(prototype), copied);
}

/// No record but payload bytes: what is there counts as it is.
export const PAYLOAD_BYTES: RecordProtection = new FixedOverhead(0);

/// Finished messages of TLS 1.3: message header and a hash (RFC 8446 section 4.4.4).
const SHA256_FINISHED = 4 + 32;
const SHA384_FINISHED = 4 + 48;
/// The type of the content, and an authentication tag of 16 bytes or (CCM_8) of 8.
const TLS13_OVERHEAD = 1 + 16;
const TLS13_CCM_8_OVERHEAD = 1 + 8;

const TLS13_SHA256: RecordProtection = new FixedOverhead(TLS13_OVERHEAD, SHA256_FINISHED + TLS13_OVERHEAD);
const TLS13_SHA384: RecordProtection = new FixedOverhead(TLS13_OVERHEAD, SHA384_FINISHED + TLS13_OVERHEAD);
const TLS13_CCM_8: RecordProtection = new FixedOverhead(
  TLS13_CCM_8_OVERHEAD,
  SHA256_FINISHED + TLS13_CCM_8_OVERHEAD,
);

/// What is assumed when the ServerHello was not captured: TLS 1.3, the most common.
export const ASSUMED_PROTECTION = TLS13_SHA384;

/// What a connection whose handshake was not captured may use: TLS 1.3 and the
/// usual suites of TLS 1.2 (AES-GCM, ChaCha20-Poly1305, AES-CBC with SHA-1 in
/// both orders of encryption and authentication).
export const POSSIBLE_PROTECTIONS: readonly RecordProtection[] = [
  ASSUMED_PROTECTION,
  new FixedOverhead(24),
  new FixedOverhead(16),
  new BlockPadding(16, 20, 16, true, false),
  new BlockPadding(16, 20, 16, false, false),
];

/// The protection of application data after a ServerHello. An unknown suite of
/// an older version is taken for GCM.
export function recordProtection(version: number, suite: number, encryptThenMac: boolean): RecordProtection {
  if (version >= TLS_1_3) {
    if (suite === 0x1302) return TLS13_SHA384;
    return suite === 0x1305 ? TLS13_CCM_8 : TLS13_SHA256;
  }
  if (CHACHA20.has(suite)) return new FixedOverhead(16);
  if (CCM_8.has(suite)) return new FixedOverhead(16);
  if (RC4_MD5.has(suite)) return new FixedOverhead(16);
  if (RC4_SHA.has(suite)) return new FixedOverhead(20);
  const mac = CBC_SHA256.has(suite) ? 32 : CBC_SHA384.has(suite) ? 48 : isCbcSha1(suite) ? 20 : 0;
  if (mac === 0) return new FixedOverhead(24);
  const block = DES_BLOCKS.has(suite) ? 8 : 16;
  const isTls10 = version <= TLS_1_0;
  return new BlockPadding(block, mac, isTls10 ? 0 : block, encryptThenMac, isTls10);
}

const CHACHA20 = new Set([0xcca8, 0xcca9, 0xccaa, 0xccab, 0xccac, 0xccad, 0xccae]);
const CCM_8 = new Set([0xc0a0, 0xc0a1, 0xc0a2, 0xc0a3, 0xc0a8, 0xc0a9, 0xc0ae, 0xc0af]);
const RC4_MD5 = new Set([0x0004]);
const RC4_SHA = new Set([0x0005, 0xc002, 0xc007, 0xc00c, 0xc011]);
const DES_BLOCKS = new Set([0x000a, 0x000d, 0x0010, 0x0013, 0x0016, 0xc003, 0xc008, 0xc00d, 0xc012]);
const CBC_SHA256 = new Set([
  0x003c, 0x003d, 0x003e, 0x003f, 0x0040, 0x0067, 0x0068, 0x0069, 0x006a, 0x006b, 0x00ba, 0x00bb, 0x00bc,
  0x00bd, 0x00be, 0x00c0, 0x00c1, 0x00c2, 0x00c3, 0x00c4, 0xc023, 0xc025, 0xc027, 0xc029, 0xc072, 0xc074,
  0xc076, 0xc078,
]);
const CBC_SHA384 = new Set([0xc024, 0xc026, 0xc028, 0xc02a, 0xc073, 0xc075, 0xc077, 0xc079]);

/// CBC suites with SHA-1 lie in three runs of the registry.
function isCbcSha1(suite: number): boolean {
  const early = suite >= 0x000a && suite <= 0x003a;
  const camelliaAndSeed = (suite >= 0x0041 && suite <= 0x0046) || (suite >= 0x0084 && suite <= 0x0089);
  const seed = suite >= 0x0096 && suite <= 0x009b;
  const elliptic = suite >= 0xc003 && suite <= 0xc019;
  return early || camelliaAndSeed || seed || elliptic;
}
