// Reads jest's JSON report and prints "passed failed". A suite that could not run, or a test skipped without a reason in its name, counts as failed.
import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults);
const isSilentSkip = ({ status, fullName }) => ['pending', 'todo', 'disabled', 'skipped'].includes(status) && !/\(skipped: .+\)/.test(fullName);
const silent = tests.filter(isSilentSkip);
for (const { fullName } of silent) console.error(`skipped without a reason: ${fullName}`);
const broken = report.testResults.filter(({ status, assertionResults }) => status === 'failed' && !assertionResults.some((each) => each.status === 'failed'));
for (const { name, message } of broken) console.error(`did not run: ${name}\n${message}`);
console.log(report.numPassedTests, report.numFailedTests + silent.length + broken.length);
