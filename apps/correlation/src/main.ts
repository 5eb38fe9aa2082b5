import { runService, startSliceNode } from '@perdure/mesh';
import { correlationService } from './correlation-service.js';

await runService('correlation', { start: (parts) => startSliceNode(parts, correlationService(parts)), random: Math.random });
