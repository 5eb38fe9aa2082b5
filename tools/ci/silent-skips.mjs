// A skipped test says why in its name: "(skipped: needs Linux)". One that does not is a failure in CI, where nobody sees it go missing.

const SKIPPED = ['pending', 'todo', 'disabled', 'skipped'];

/** The names of the skipped tests without a reason, from jest's results (a reporter's or the JSON report's). */
export const silentSkips = (testResults) =>
  testResults
    .flatMap((suite) => suite.testResults ?? suite.assertionResults)
    .filter(({ status, fullName }) => SKIPPED.includes(status) && !/\(skipped: .+\)/.test(fullName))
    .map(({ fullName }) => fullName);

/** A jest reporter that fails the run. Tests left out by -t are not skipped, they were not asked for. */
export default class SilentSkips {
  #pattern;
  #isCi;
  #names = [];

  constructor(globalConfig, _options, _context, env = process.env) {
    this.#pattern = globalConfig.testNamePattern;
    this.#isCi = env.CI === 'true' || env.CI === '1';
  }

  onRunComplete(_contexts, { testResults }) {
    if (this.#isCi && !this.#pattern) this.#names = silentSkips(testResults);
  }

  getLastError() {
    return this.#names.length === 0 ? undefined : new Error(`skipped without a reason in the name, "(skipped: why)":\n  ${this.#names.join('\n  ')}`);
  }
}
