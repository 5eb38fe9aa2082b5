import { BundleSource, type BundleCode } from '../ports/bundle-source.js';

/** Whatever bundle is asked for, it is this one. */
export class OneBundle extends BundleSource {
  readonly code: BundleCode;

  constructor(code: BundleCode) {
    super();
    this.code = code;
  }

  override find(): Promise<BundleCode | undefined> {
    return Promise.resolve(this.code);
  }

  override defaultFor(): Promise<string | undefined> {
    return Promise.resolve(this.code.hash);
  }
}
