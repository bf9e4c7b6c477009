/// The loops that every packet passes through, compiled to WebAssembly by `scripts/loops.mjs`
/// (AssemblyScript: no objects and no collector, only numbers at addresses). The other side is `src/loops/`.

export { countFrames, readRecords } from './frames';
export { decodeCommon } from './packets';
export { advance, leaveAll, look, lookUp, lookUpOne, removeIfSilent } from './table';
