/** Throw-away certificates for the lab's servers, made with the openssl program. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './processes.js';
import type { CertificateWish, KeyType } from './variation.js';

export interface CertificateFiles {
  readonly key: string;
  /** The certificate and, if it has one, the authority that signed it. */
  readonly chain: string;
  readonly authority: string;
}

const DAYS = '365';
/** Large keys take their time on a busy machine. */
const PATIENCE = { seconds: 240 };

function newKey(type: KeyType): string[] {
  if (type.startsWith('rsa')) return ['-newkey', `rsa:${type.slice(3)}`];
  const curve = type === 'ec256' ? 'prime256v1' : 'secp384r1';
  return ['-newkey', 'ec', '-pkeyopt', `ec_paramgen_curve:${curve}`];
}

async function selfSigned(folder: string, name: string, type: KeyType, subject: string, more: string[] = []) {
  const files = { key: join(folder, `${name}.key`), cert: join(folder, `${name}.crt`) };
  const out = ['-keyout', files.key, '-out', files.cert];
  const request = ['openssl', 'req', '-x509', '-nodes', '-sha256', '-days', DAYS, '-subj', subject];
  await run([...request, ...newKey(type), ...out, ...more], PATIENCE);
  return files;
}

/** Makes a key and a certificate called `name` in `folder`, self-signed or signed by an authority made for it. */
export async function makeCertificate(
  folder: string,
  name: string,
  wish: CertificateWish,
): Promise<CertificateFiles> {
  const subject = `/O=${wish.organization}/CN=${wish.commonName}`;
  const names = [wish.commonName];
  for (let i = 1; i <= wish.extraNames; i++) names.push(`alias${i}.${wish.commonName}`);
  const alternatives = `subjectAltName=${names.map((each) => `DNS:${each}`).join(',')}`;
  if (!wish.chain) {
    const more = wish.extraNames > 0 ? ['-addext', alternatives] : [];
    const own = await selfSigned(folder, name, wish.key, subject, more);
    return { key: own.key, chain: own.cert, authority: own.cert };
  }
  const authority = await selfSigned(folder, `${name}-ca`, 'rsa2048', `/O=${wish.organization}/CN=Test CA`);
  const key = join(folder, `${name}.key`);
  const request = join(folder, `${name}.csr`);
  const leaf = join(folder, `${name}-leaf.crt`);
  const extensions = join(folder, `${name}.ext`);
  writeFileSync(extensions, `${alternatives}\n`);
  const ask = ['openssl', 'req', '-new', '-nodes', '-subj', subject, '-keyout', key, '-out', request];
  await run([...ask, ...newKey(wish.key)], PATIENCE);
  const signer = ['-CA', authority.cert, '-CAkey', authority.key, '-CAcreateserial'];
  const sign = ['openssl', 'x509', '-req', '-sha256', '-days', DAYS, '-in', request, '-out', leaf];
  await run([...sign, ...signer, '-extfile', extensions]);
  const chain = join(folder, `${name}.crt`);
  writeFileSync(chain, readFileSync(leaf, 'utf8') + readFileSync(authority.cert, 'utf8'));
  return { key, chain, authority: authority.cert };
}
