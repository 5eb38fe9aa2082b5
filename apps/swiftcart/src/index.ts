export { createSwiftcart } from './swiftcart.js';
export type { Swiftcart, SwiftcartOptions } from './swiftcart.js';
