import { runService, startSliceNode } from '@perdure/mesh';
import { compensationService } from './compensation-service.js';

await runService('compensation', { start: (parts) => startSliceNode(parts, compensationService(parts)), random: Math.random });
