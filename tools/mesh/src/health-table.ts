import Table from 'cli-table3';
import type { LocalMesh } from './local-mesh.js';

/** Who runs where, for a person. */
export const healthTable = (mesh: LocalMesh): string => {
  const table = new Table({ head: ['', 'pid', 'address', 'log'], style: { head: [], border: [] } });
  for (const server of mesh.servers.started) table.push([server.name, String(server.pid ?? 'down'), server.address, server.logFile]);
  for (const { name, app, sidecar } of mesh.nodes) {
    table.push([name, String(app.pid ?? 'down'), app.address, app.logFile]);
    table.push([`${name} daprd`, String(sidecar.pid ?? 'down'), sidecar.address, sidecar.logFile]);
  }
  return table.toString();
};
