import { resolve } from 'node:path';

/** What `npm run test:mesh` sets. A spec without it fails: it must not look as if it had passed. */
export interface MeshEnvironment {
  readonly daprd: string;
  /** What the files under `components/local*` refer to. */
  readonly components: Readonly<Record<string, string>>;
  readonly kafka: string;
  /** `host:port`. */
  readonly redis: string;
}

export const readMeshEnvironment = (env: NodeJS.ProcessEnv): MeshEnvironment => {
  const need = (name: string): string => {
    const value = env[name];
    if (!value) throw new Error(`${name} is not set. \`npm run test:mesh\` starts the servers and sets it.`);
    return value;
  };
  const daprd = need('PERDURE_TEST_DAPRD');
  const kafka = need('PERDURE_TEST_KAFKA');
  const redis = need('PERDURE_TEST_REDIS');
  const components = {
    PERDURE_KAFKA_BROKERS: kafka,
    PERDURE_REDIS_HOST: redis,
    PERDURE_SECRET_REDIS_PASSWORD: env['PERDURE_TEST_REDIS_PASSWORD'] ?? '',
    PERDURE_SECRET_STATE_URL: need('PERDURE_TEST_POSTGRES'),
  };
  return { daprd, kafka, redis, components };
};

/** The folders of `components/` that one machine can run; or the one that is asked for. */
export const localFolders = (root: string, env: NodeJS.ProcessEnv): readonly string[] => {
  const asked = env['PERDURE_TEST_COMPONENTS'];
  return asked ? [resolve(root, asked)] : [`${root}/components/local`, `${root}/components/local-redis`];
};
