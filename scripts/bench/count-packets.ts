/**
 * Counts the packets of a capture as the README of an npm package says:
 *
 *     node build/scripts/bench/count-packets.js pcap-parser|pcap-ng-parser FILE
 */
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';

const [name, file = ''] = process.argv.slice(2);
const require = createRequire(import.meta.url);
let packets = 0;
const count = () => {
  packets++;
};
const stream = createReadStream(file);
if (name === 'pcap-parser') require(name).parse(stream).on('packet', count);
else stream.pipe(new (require('pcap-ng-parser'))()).on('data', count);
process.on('exit', () => console.log(`${packets} packets`));
