import { closeSync, openSync, readSync } from 'node:fs';

const LOOK_MS = 100;
const CHUNK_BYTES = 64 * 1024;

/** Gives each whole line that is in a log from a byte on or comes to it, until the returned function is called; that gives what is left first. */
export function followLog(file: string, onLine: (line: string) => void, fromByte = 0): () => void {
  const descriptor = openSync(file, 'a+');
  const chunk = Buffer.alloc(CHUNK_BYTES);
  const decoder = new TextDecoder();
  let at = fromByte;
  let rest = '';
  const look = (): void => {
    for (let read = 1; read > 0; at += read) {
      read = readSync(descriptor, chunk, 0, CHUNK_BYTES, at);
      const lines = (rest + decoder.decode(chunk.subarray(0, read), { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach(onLine);
    }
  };
  const looking = setInterval(look, LOOK_MS);
  looking.unref();
  return () => {
    clearInterval(looking);
    look();
    if (rest !== '') onLine(rest);
    closeSync(descriptor);
  };
}
