export { startSwiftcart } from './swiftcart.js';
export type { SwiftcartOptions } from './swiftcart.js';
