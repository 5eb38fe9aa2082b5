import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { SERVICES } from '@perdure/delivery';
import { parseAllDocuments } from 'yaml';
import { DAPR_TOPICS, DEAD_LETTER_TOPIC, DELIVERIES_EVENTS_PATH, deliveryTopic } from './dapr-bus.js';

interface Retry {
  readonly policy: string;
  readonly duration?: string;
  readonly maxRetries?: number;
}

interface MetadataItem {
  readonly name: string;
  readonly value?: string;
  readonly envRef?: string;
  readonly secretKeyRef?: { readonly name: string };
}

interface Resource {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly scopes?: readonly string[];
  readonly auth?: { readonly secretStore: string };
  readonly spec: {
    readonly type?: string;
    readonly version?: string;
    readonly metadata?: readonly MetadataItem[];
    readonly pubsubname?: string;
    readonly topic?: string;
    readonly routes?: { readonly default: string };
    readonly deadLetterTopic?: string;
    readonly bulkSubscribe?: { readonly enabled: boolean; readonly maxMessagesCount: number };
    readonly policies?: { readonly retries: Readonly<Record<string, Retry>>; readonly timeouts: Readonly<Record<string, string>> };
    readonly targets?: { readonly components: Readonly<Record<string, { readonly inbound?: { readonly retry?: string; readonly timeout?: string } }>> };
    readonly features?: readonly { readonly name: string; readonly enabled: boolean }[];
    readonly accessControl?: { readonly defaultAction: string; readonly policies?: readonly { readonly appId: string; readonly defaultAction: string }[] };
  };
}

const components = fileURLToPath(new URL('../../../../components', import.meta.url));
const FOLDERS = readdirSync(components, { withFileTypes: true }).filter((each) => each.isDirectory()).map(({ name }) => name);
const CLOUDS = ['aks', 'eks'];
const APPS = ['ingestion', ...SERVICES];

const read = (folder: string): Resource[] =>
  readdirSync(join(components, folder)).flatMap((name) =>
    parseAllDocuments(readFileSync(join(components, folder, name), 'utf8')).map((document) => {
      if (document.errors.length > 0) throw document.errors[0]!;
      return document.toJSON() as Resource;
    }),
  );

const of = (folder: string, kind: string): Resource[] => read(folder).filter((each) => each.kind === kind);
const component = (folder: string, name: string): Resource => of(folder, 'Component').find((each) => each.metadata.name === name)!;
const valueOf = ({ spec }: Resource, name: string): string | undefined => spec.metadata?.find((each) => each.name === name)?.value;

describe('The components', () => {
  it('are in a folder for each place, and one to swap', () => expect(FOLDERS.sort()).toEqual(['aks', 'eks', 'local', 'local-redis']));

  it.each(FOLDERS)('have the same names and kinds in %s', (folder) => {
    const names = (each: string): string[] => read(each).map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort();
    expect(names(folder)).toEqual(names('local'));
    expect(names(folder)).toEqual([...new Set(names(folder))]);
  });

  it.each(FOLDERS)('differ by nothing but type and metadata in %s', (folder) => {
    const same = (each: string, kind: string): unknown[] => of(each, kind).map(({ metadata: { name }, spec, scopes }) => ({ name, spec, scopes }));
    for (const kind of ['Subscription', 'Resiliency']) expect(same(folder, kind)).toEqual(same('local', kind));
    for (const { scopes } of of(folder, 'Component')) expect(scopes).toEqual(APPS);
  });
});

describe.each(FOLDERS)('Those of %s', (folder) => {
  it('subscribe each service to its topic, in bulk, with a place for what cannot be delivered', () => {
    const found = of(folder, 'Subscription');
    expect(found.map(({ spec, scopes }) => [spec.topic, scopes])).toEqual(SERVICES.map((service) => [deliveryTopic(service), [service]]));
    for (const { spec } of found) {
      expect(DAPR_TOPICS).toContain(spec.topic);
      expect(spec).toMatchObject({ pubsubname: 'pubsub', routes: { default: DELIVERIES_EVENTS_PATH }, deadLetterTopic: DEAD_LETTER_TOPIC, bulkSubscribe: { enabled: true } });
    }
  });

  it('try what failed again for a while, and not for ever', () => {
    const [resiliency] = of(folder, 'Resiliency');
    const { policies, targets } = resiliency!.spec;
    for (const { spec } of of(folder, 'Subscription')) {
      const inbound = targets!.components[spec.pubsubname!]!.inbound!;
      const retry = policies!.retries[inbound.retry!]!;
      expect(retry.maxRetries).toBeGreaterThan(0);
      expect(policies!.timeouts[inbound.timeout!]).toMatch(/^\d+s$/);
      expect(spec.deadLetterTopic).toBeDefined();
    }
  });

  it('hold no secret, but say where it is', () => {
    for (const { metadata, spec, auth } of of(folder, 'Component')) {
      const secrets = spec.metadata!.filter(({ name }) => /password|connectionString|secretKey|accessKey/i.test(name));
      for (const { value, secretKeyRef } of secrets) expect([value, typeof secretKeyRef?.name]).toEqual([undefined, 'string']);
      if (spec.metadata!.some(({ secretKeyRef }) => secretKeyRef)) expect([metadata.name, auth]).toEqual([metadata.name, { secretStore: 'secretstore' }]);
    }
    expect(readdirSync(join(components, folder)).map((name) => readFileSync(join(components, folder, name), 'utf8')).join()).not.toMatch(/:\/\/[^\s/]*:[^\s/]*@/);
  });

  it('keep clear of what is known to lose', () => {
    const pubsub = component(folder, 'pubsub');
    const statestore = component(folder, 'statestore');
    if (pubsub.spec.type === 'pubsub.kafka') expect(valueOf(pubsub, 'initialOffset')).toBe('oldest');
    else {
      expect(valueOf(pubsub, 'redeliverInterval')).toMatch(/^\d+$/);
      expect(Number(valueOf(pubsub, 'concurrency'))).toBeGreaterThanOrEqual(of(folder, 'Subscription')[0]!.spec.bulkSubscribe!.maxMessagesCount);
    }
    // An ETag of v1 stays the same after the first update.
    if (statestore.spec.type !== 'state.redis') expect(statestore.spec.version).toBe('v2');
    expect(valueOf(statestore, 'keyPrefix')).toBe('name');
  });

  it('change nothing under a running sidecar', () => {
    for (const { spec } of of(folder, 'Configuration')) expect(spec.features).toContainEqual({ name: 'HotReload', enabled: false });
  });

  it('let the five services call each other, and anyone call ingestion', () => {
    const accessOf = (name: string): Resource['spec']['accessControl'] => of(folder, 'Configuration').find(({ metadata }) => metadata.name === name)!.spec.accessControl;
    const [perdure, ingestion] = [accessOf('perdure'), accessOf('perdure-ingestion')];
    expect(ingestion!.defaultAction).toBe('allow');
    // Without certificates, as on one machine, no caller is known: a policy would shut out everyone.
    expect(perdure!.defaultAction).toBe(CLOUDS.includes(folder) ? 'deny' : 'allow');
    if (CLOUDS.includes(folder)) expect(perdure!.policies!.map(({ appId, defaultAction }) => [appId, defaultAction])).toEqual(APPS.map((app) => [app, 'allow']));
  });
});
