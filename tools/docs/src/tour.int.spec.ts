import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { blocksOf } from './block.js';
import { type PageFile, pageFiles, SCRIPT } from './page-files.js';
import { runPage } from './run-page.js';

const root = execFileSync('git', ['rev-parse', '--show-toplevel'], { encoding: 'utf8' }).trim();

/** What README's tour has its reader do in two terminals. A server's number is read from what `dev` prints, as the reader does. */
const SESSION = `
export PERDURE_URL=http://127.0.0.1:$(node -e "const s = require('node:net').createServer().listen(0, '127.0.0.1', () => { console.log(s.address().port); s.close(); })")
perdure() { node node_modules/@perdure/cli/dist/main.js "$@"; }
serve() {
  exec 3< <(exec node node_modules/@perdure/cli/dist/main.js dev scratch/hello.workflow.ts --activities scratch/hello.activities.ts --port "\${PERDURE_URL##*:}" 2>&1)
  while read -r line <&3; do
    echo "$line"
    [[ $line =~ server\\ process\\ ([0-9]+) ]] && break
  done
  SERVER=\${BASH_REMATCH[1]}
  trap "kill $SERVER" EXIT
}
serve
perdure start welcome --id hello-1 --input '"Ada"'
perdure query hello-1 stage
kill -9 $SERVER
cat <&3
serve
perdure signal hello-1 approved --input '{"by":"Grace"}'
perdure result hello-1
perdure show hello-1
trap - EXIT
kill $SERVER
cat <&3
`;

describe('the tour of README', () => {
  it('goes on after the server was killed', async () => {
    const files = pageFiles(blocksOf('README.md', readFileSync(join(root, 'README.md'), 'utf8'))).filter(({ name }) => name.startsWith('scratch/hello.'));
    const sooner = files.map((file): PageFile => ({ ...file, text: file.text.replace("'20s'", "'1s'") }));
    const { exitCode, output } = await runPage(root, [...sooner, { name: SCRIPT, text: SESSION, origin: [], run: true }]);
    expect({ exitCode, output }).toEqual({ exitCode: 0, output: expect.stringContaining('the server has ended (SIGKILL)') });
    expect(output).toContain('"Hello, Ada, approved by Grace"\n');
    expect(output.match(/activityScheduled|activityClosed|completed /g)).toEqual(['activityScheduled', 'activityClosed', 'completed ']);
  }, 300_000);
});
