export { nameOfDoor, parseDoors, unique, type Door } from './door.ts';
export { ProbeError, type ProbeErrorCode } from './errors.ts';
export { probeHost, type HostProbe, type HostSeen } from './look.ts';
export type { DoorState, Outcome, TlsSeen } from './outcome.ts';
export { gentle, pacer, type Rates } from './pace.ts';
export { probeTcp, type TcpTarget } from './tcp.ts';
export { probeUdp, type UdpTarget } from './udp.ts';
export { vantageOf, type Vantage } from './vantage.ts';
export { wellKnownDoors } from './well-known.ts';
