/** Name under which a bundle's code is evaluated, and so what stacks call it. */
export const SCRIPT = 'bundle.js';
