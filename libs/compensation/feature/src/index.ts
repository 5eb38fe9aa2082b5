export { CompensationModule } from './compensation-module.js';
