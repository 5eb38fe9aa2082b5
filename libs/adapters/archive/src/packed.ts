import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import { ARCHIVE_STORE_LIMITS } from './archive-limits.js';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** Off this thread. With a checksum, so that what is unpacked is what was packed. */
export const pack = (text: string): Promise<Buffer> => compress(Buffer.from(text), { params: { [constants.ZSTD_c_checksumFlag]: 1 } });

/** @throws Error when it is not as it was packed */
export const unpack = async (packed: Uint8Array): Promise<string> => (await decompress(packed, { maxOutputLength: ARCHIVE_STORE_LIMITS.textBytesMax })).toString();
