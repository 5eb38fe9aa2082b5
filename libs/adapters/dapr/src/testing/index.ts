export { ComponentFolder, isKafka } from './component-folder.js';
export type { ComponentFolderOptions } from './component-folder.js';
export { localFolders, readMeshEnvironment } from './mesh-environment.js';
export type { MeshEnvironment } from './mesh-environment.js';
export { SidecarProcess } from './sidecar-process.js';
export type { SidecarProcessOptions } from './sidecar-process.js';
