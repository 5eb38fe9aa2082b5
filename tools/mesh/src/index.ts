export { LocalMesh } from './local-mesh.js';
export { MeshNodeProcess } from './mesh-node.js';
export { MESH_SERVICES, ONE_OF_EACH } from './mesh-options.js';
export type { GivenServers, MeshOptions, MeshService, Replicas, WayEnd } from './mesh-options.js';
export type { MeshServers, ServerName } from './mesh-servers.js';
