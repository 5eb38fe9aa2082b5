import { MemoryLog, MemoryMembership, MemoryRegistry } from '@perdure/delivery/testing';
import { logSuite } from './log-suite.js';
import { membershipSuite } from './membership-suite.js';

logSuite('memory', async () => {
  const log = new MemoryLog('log');
  return { slice: 'history/0', log, reopen: async () => log, remake: async () => new MemoryLog('another'), cut: (end) => log.cut(end), close: async () => undefined };
});

membershipSuite('memory', async () => {
  const registry = new MemoryRegistry();
  const opened: MemoryMembership[] = [];
  return {
    open: async () => {
      const membership = new MemoryMembership(registry);
      opened.push(membership);
      return membership;
    },
    lose: async (id) => registry.remove(id),
    close: async () => opened.forEach((membership) => membership.close()),
  };
});
