/// Certificates of the shape that SoftEther servers make, without keys.

const derElement = (tag: number, ...parts: Uint8Array[]): Uint8Array => {
  const body = Buffer.concat(parts);
  const length = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 255];
  return Buffer.concat([Uint8Array.of(tag, ...length), body]);
};
const ascii = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'));
const attribute = (last: number, value: string) =>
  derElement(
    0x31,
    derElement(0x30, derElement(6, Uint8Array.of(0x55, 4, last)), derElement(12, ascii(value))),
  );
const name = (host: string) =>
  derElement(0x30, attribute(3, host), attribute(10, host), attribute(11, host), attribute(6, 'US'));

/// In DER; `host` is common name, organization and unit of subject and issuer.
export function certificate(serial: number, host: string): Uint8Array {
  const empty = derElement(0x30);
  const validity = derElement(
    0x30,
    derElement(0x17, ascii('261123044632Z')),
    derElement(0x18, ascii('20501231000000Z')),
  );
  const version = derElement(0xa0, derElement(2, Uint8Array.of(2)));
  const number = derElement(2, Uint8Array.of(serial));
  const body = derElement(0x30, version, number, empty, name(host), validity, name(host), empty);
  return derElement(0x30, body, empty, derElement(3));
}
