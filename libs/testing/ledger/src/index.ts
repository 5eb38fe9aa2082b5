export type { Deployment } from './crash/deployment.js';
export { explainFindings, runCrashTest, type CrashTestOptions, type CrashTestReport } from './crash/crash-test.js';
export { MeshDeployment, type MeshDeploymentOptions } from './crash/mesh-deployment.js';
export { StandaloneDeployment, type StandaloneOptions } from './crash/standalone-deployment.js';
