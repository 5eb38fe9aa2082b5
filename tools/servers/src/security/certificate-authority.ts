import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

/** Paths of files in PEM; the key in PKCS#8. */
export interface Certified {
  readonly cert: string;
  readonly key: string;
}

const EC = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' };
/** A test's certificates: longer than any test, and no longer. */
const VALID_MS = 24 * 3_600_000;

/** Somebody who signs certificates for one test, and whom nobody else trusts. Its own key is never written down. */
export class CertificateAuthority {
  /** The path of its certificate. */
  readonly certificate: string;
  readonly #folder: string;
  readonly #name: string;
  readonly #keys: webcrypto.CryptoKeyPair;

  private constructor({ folder, name, keys }: { readonly folder: string; readonly name: string; readonly keys: webcrypto.CryptoKeyPair }) {
    this.certificate = join(folder, `${name}.pem`);
    this.#folder = folder;
    this.#name = name;
    this.#keys = keys;
  }

  static async create({ folder, name = 'ca' }: { readonly folder: string; readonly name?: string }): Promise<CertificateAuthority> {
    const keys = await newKeys();
    const authority = new CertificateAuthority({ folder, name, keys });
    const own = await x509.X509CertificateGenerator.createSelfSigned({
      ...validity(), name: `CN=${name}`, keys, signingAlgorithm: SIGNING,
      extensions: [new x509.BasicConstraintsExtension(true, 0, true), new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true), await x509.SubjectKeyIdentifierExtension.create(keys.publicKey)],
    });
    await mkdir(folder, { recursive: true });
    await writeFile(authority.certificate, pem(own));
    return authority;
  }

  /**
   * For a server that is reached by those names and addresses, and for a client as well: servers of a cluster are each other's clients. `name` is of the files alone: names of servers
   * are looked for elsewhere today, and etcd's JSON gateway takes no client whose certificate has one.
   */
  async issue(name: string, hosts: readonly string[] = []): Promise<Certified> {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      ...validity(), subject: 'O=perdure', issuer: `CN=${this.#name}`, publicKey: keys.publicKey, signingKey: this.#keys.privateKey, signingAlgorithm: SIGNING,
      extensions: [
        new x509.BasicConstraintsExtension(false),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
        await x509.AuthorityKeyIdentifierExtension.create(this.#keys.publicKey),
        ...(hosts.length > 0 ? [new x509.SubjectAlternativeNameExtension(hosts.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })))] : []),
      ],
    });
    const files = { cert: join(this.#folder, `${name}.pem`), key: join(this.#folder, `${name}-key.pem`) };
    await writeFile(files.cert, pem(certificate));
    await writeFile(files.key, x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY'), { mode: 0o600 });
    return files;
  }
}

const newKeys = (): Promise<webcrypto.CryptoKeyPair> => webcrypto.subtle.generateKey(EC, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;

const pem = (certificate: x509.X509Certificate): string => `${certificate.toString('pem')}\n`;

/** From a little before now: the machine's servers have clocks of the same, but to the second. */
const validity = (): { readonly serialNumber: string; readonly notBefore: Date; readonly notAfter: Date } => ({
  serialNumber: randomBytes(16).toString('hex').replace(/^./, '1'),
  notBefore: new Date(Date.now() - 60_000),
  notAfter: new Date(Date.now() + VALID_MS),
});
