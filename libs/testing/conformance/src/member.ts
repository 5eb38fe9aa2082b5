import { SystemClock } from '@perdure/clock';
import { EtcdMembership } from '@perdure/etcd';

// A node as a process of its own, for tests that stop it: `member.js ENDPOINT PREFIX ID`.
const [endpoint, prefix, id] = process.argv.slice(2) as [string, string, string];
const clock = new SystemClock();
const membership = await EtcdMembership.connect({ endpoints: [endpoint], prefix, clock, random: () => (clock.now() % 97) / 97 });
await membership.join({ id, service: 'history', address: `${id}:3000` });
