export { ETCD_LIMITS } from './etcd-limits.js';
export type { EtcdLimits } from './etcd-limits.js';
export { EtcdMembership } from './etcd-membership.js';
export type { EtcdMembershipOptions } from './etcd-membership.js';
export type { EtcdSecurity, EtcdTls, EtcdUser } from './etcd-security.js';
