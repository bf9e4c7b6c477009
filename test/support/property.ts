/// fast-check, told to use the whole range of lengths that a test names. (By
/// itself it makes lists of ten at most, however long they may be.)

import fc from 'fast-check';

fc.configureGlobal({ defaultSizeToMaxWhenMaxSpecified: true });

export default fc;
