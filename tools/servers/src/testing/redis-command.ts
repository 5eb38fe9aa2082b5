import { once } from 'node:events';
import { connect } from 'node:net';

/** One command by Redis's inline protocol, for answers that come in one packet. */
export async function redisCommand(address: string, command: string): Promise<string> {
  const [host = '', port = ''] = address.split(':');
  const socket = connect({ host, port: Number(port) });
  try {
    socket.write(`${command}\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    return answer.toString();
  } finally {
    socket.destroy();
  }
}
