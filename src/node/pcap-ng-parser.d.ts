/// The package comes without types; this is what src/node/second-reader.ts uses.
declare module 'pcap-ng-parser' {
  import type { Transform } from 'node:stream';

  interface ParserEvents {
    interface: { linkType: number; snapLen: number; name?: string };
    data: { interfaceId: number; timestampHigh: number; timestampLow: number; data: Buffer };
    error: Error;
  }

  export default class PCAPNGParser extends Transform {
    on<Name extends keyof ParserEvents>(name: Name, listener: (value: ParserEvents[Name]) => void): this;
  }
}
