import type { Link } from '@perdure/servers';
import type { CuttingProxy } from './cutting-proxy.js';
import type { Disturbable } from './disturbable.js';
import type { Lanes } from './lanes.js';

/**
 * What is attacked: a standalone server, or as many processes as a mesh has. All that the attack knows of it are addresses, processes that may be killed or held,
 * and proxies that may cut.
 */
export abstract class Deployment {
  /** Where clients ask, each behind a proxy. */
  abstract readonly doors: readonly string[];
  /** The same without proxies, for whoever only looks. */
  abstract readonly quietDoor: string;
  abstract readonly processes: readonly Disturbable[];
  /** What may go wrong, and how much of it at once. */
  abstract readonly lanes: Lanes;
  abstract readonly proxies: readonly CuttingProxy[];
  /** What a service is sent by others comes through these: they refuse some and cut some answers all the while. */
  readonly deliveries: readonly CuttingProxy[] = [];
  /** From a node to what it needs; cut or slowed one way. */
  readonly links: readonly Link[] = [];
  /** What a run has with the scheduler goes in the transaction that ends it. */
  abstract readonly dropsAtOnce: boolean;
  /** The ledger's file. */
  abstract readonly ledgerPath: string;
  abstract readonly tenant: string;

  /** Resolves when all of them are ready. */
  abstract start(): Promise<void>;
  abstract stop(): Promise<void>;
  /** After `stop`: what is still kept as pending, and what else is wrong with what was stored; each one sentence. */
  abstract leftovers(): Promise<readonly string[]>;
  /** What else is worth telling of how it went. */
  figures(): Readonly<Record<string, number>> {
    return {};
  }
}
