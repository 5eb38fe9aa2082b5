import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

const SSL_REQUEST = 80_877_103;
const TEXT = 25;
const LENGTH_BYTES = 4;

/** Answers each statement with a row of texts, or with none. */
export type Answer = (text: string) => Readonly<Record<string, string>> | undefined;

/**
 * As much of the wire protocol (https://www.postgresql.org/docs/current/protocol-message-formats.html) as simple queries take: it stands for a server that is not to be
 * had, so that what would be sent to it goes over the wire.
 */
export async function openWireServer(answer: Answer): Promise<{ readonly url: string; readonly received: readonly string[]; close(): Promise<void> }> {
  const received: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    serve(socket, (text) => {
      received.push(text);
      return answer(text);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    received,
    url: `postgres://root@127.0.0.1:${port}/perdure`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function serve(socket: Socket, answer: Answer): void {
  let rest: Buffer = Buffer.alloc(0);
  let isOpen = false;
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (let end = endOf(rest, isOpen); end !== undefined; end = endOf(rest, isOpen)) {
      const message = rest.subarray(0, end);
      rest = rest.subarray(end);
      if (isOpen) onMessage(socket, message, answer);
      else isOpen = onStartup(socket, message);
    }
  });
}

/** A message's length stands behind its type, which the first one of a connection has not. */
function endOf(bytes: Buffer, hasType: boolean): number | undefined {
  const type = hasType ? 1 : 0;
  if (bytes.length < type + LENGTH_BYTES) return undefined;
  const end = type + bytes.readUInt32BE(type);
  return bytes.length < end ? undefined : end;
}

function onStartup(socket: Socket, message: Buffer): boolean {
  if (message.readUInt32BE(LENGTH_BYTES) === SSL_REQUEST) {
    socket.write('N');
    return false;
  }
  socket.write(Buffer.concat([framed('R', int32(0)), framed('Z', Buffer.from('I'))]));
  return true;
}

function onMessage(socket: Socket, message: Buffer, answer: Answer): void {
  if (message[0] !== 'Q'.charCodeAt(0)) return void socket.end();
  const row = answer(message.subarray(1 + LENGTH_BYTES, -1).toString());
  const rows = row ? [framed('T', int16(Object.keys(row).length), ...Object.keys(row).map(field)), framed('D', int16(Object.keys(row).length), ...Object.values(row).flatMap((value) => [int32(Buffer.byteLength(value)), Buffer.from(value)]))] : [];
  socket.write(Buffer.concat([...rows, framed('C', Buffer.from('OK\0')), framed('Z', Buffer.from('I'))]));
}

const field = (name: string): Buffer => Buffer.concat([Buffer.from(`${name}\0`), int32(0), int16(0), int32(TEXT), int16(-1), int32(-1), int16(0)]);
const framed = (type: string, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), int32(LENGTH_BYTES + body.length), body]);
};
const int32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
};
const int16 = (value: number): Buffer => {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(value);
  return buffer;
};
