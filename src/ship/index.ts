export { connectOwn, type Deliverer } from './deliver.ts';
export { remoteReceiver, type ClientFiles, type Destination } from './destination.ts';
export { ShipError, type ShipErrorCode } from './errors.ts';
export type { Fact } from './facts.ts';
export { selfLine, type CursorChanges, type Line } from './line.ts';
export { startShipping, type ShippingOptions } from './shipping.ts';
