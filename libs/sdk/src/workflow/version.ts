/** Version of the runtime inside a bundle; that of the package. */
export const RUNTIME_VERSION = '0.1.0';
