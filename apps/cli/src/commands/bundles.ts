import { bundle } from '@perdure/bundler';
import type { Command } from 'commander';
import { assertFile, findBundle } from '../arguments.js';
import { withSession, type Session, type Terminal } from '../cli.js';
import { table } from '../show/table.js';
import { at } from '../show/time.js';

/** Bundles: deploying, listing, retiring. */
export const addBundleCommands = (program: Command, terminal: Terminal): void => {
  program.command('deploy <entry>').description('bundle a workflow file and deploy it; new runs take it').option('--name <name>', 'shown in lists (default: the file)').action(withSession(terminal, deploy));
  program.command('bundles').description('deployed bundles, and why one cannot be retired yet').option('--retire <hash>', 'remove this one; the beginning of its hash will do').action(withSession(terminal, bundles));
};

const deploy = async ({ client, print }: Session, entry: string, flags: { readonly name?: string }): Promise<void> => {
  const made = await bundle({ entry: assertFile(entry) });
  const deployed = await client.deploy({ name: flags.name ?? entry, code: made.code, sourceMap: made.sourceMap });
  print(deployed, () => `deployed ${deployed.hash.slice(0, 12)} with ${deployed.workflows.join(', ')} (${Math.ceil(deployed.bytes / 1024)} KB)`);
};

const bundles = async ({ client, print }: Session, flags: { readonly retire?: string }): Promise<void> => {
  if (flags.retire) {
    const hash = await findBundle(client, flags.retire);
    await client.retire(hash);
    return print({ retired: hash }, () => `retired ${hash.slice(0, 12)}`);
  }
  const found = await client.bundles();
  print(found, () =>
    found.length === 0 ? 'no bundles' : table(['BUNDLE', 'NAME', 'WORKFLOWS', 'DEFAULT FOR', 'DEPLOYED', 'OPEN RUNS', 'RETIRABLE'], found.map((each) => [each.hash.slice(0, 12), each.name, each.workflows.join(', '), each.defaultFor.join(', ') || '-', at(each.createdAt), String(each.openRuns), each.retirable ? 'yes' : `no: ${each.why ?? ''}`])),
  );
};
