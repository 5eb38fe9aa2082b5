import { type Plugin, context } from 'esbuild';
import { toPerdureError, type PerdureError } from '@perdure/contract';
import { type Bundle, finish, prepare, refuse } from './bundle.js';

export type WatchResult = { readonly kind: 'built'; readonly bundle: Bundle } | { readonly kind: 'failed'; readonly error: PerdureError };

/**
 * Bundles `entry` now and again whenever one of its files changes; `onChange` gets each outcome. Call `close` to stop.
 */
export const watchBundle = async (entry: string, onChange: (result: WatchResult) => void): Promise<{ close(): Promise<void> }> => {
  const prepared = prepare({ entry });
  const report: Plugin = {
    name: 'perdure-report',
    setup(build) {
      build.onEnd((result) => {
        try {
          if (result.errors.length > 0) refuse(result);
          onChange({ kind: 'built', bundle: finish(result as Parameters<typeof finish>[0], prepared) });
        } catch (error) {
          onChange({ kind: 'failed', error: toPerdureError(error) });
        }
      });
    },
  };
  const watcher = await context({ ...prepared.options, plugins: [...(prepared.options.plugins ?? []), report] });
  await watcher.watch();
  return { close: () => watcher.dispose() };
};
