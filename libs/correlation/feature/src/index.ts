export { CorrelationModule } from './correlation-module.js';
