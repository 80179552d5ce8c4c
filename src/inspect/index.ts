export * from './services/index.ts';
export * from './firewall/index.ts';
export * from './usage/index.ts';
export * from './isolation/index.ts';
export * from './patches/index.ts';
export * from './logging/index.ts';
export type { HostPaths } from './host.ts';
