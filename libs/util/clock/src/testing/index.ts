export { passTime } from './pass-time.js';
