export * from './record.ts';
export * from './address.ts';
