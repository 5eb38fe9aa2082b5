// Reads jest's JSON report and prints "passed failed". A suite that could not run, or a test skipped without a reason in its name, counts as failed.
import { readFileSync } from 'node:fs';
import { silentSkips } from './silent-skips.mjs';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const silent = silentSkips(report.testResults);
const broken = report.testResults.filter(({ status, assertionResults }) => status === 'failed' && !assertionResults.some((each) => each.status === 'failed'));
for (const { name, message } of broken) console.error(`did not run: ${name}\n${message}`);
console.log(report.numPassedTests, report.numFailedTests + silent.length + broken.length);
