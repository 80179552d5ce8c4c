/** What is kept of each sender of datagrams; looked up for every one of them, so without making a key of the two. */
export type KnownPeers<T> = { of(address: string, port: number): T };

/** More are forgotten all at once: strangers choose their addresses. */
const most = 1024;

/** @param begin for a sender that is not known (any more) */
export const knownPeers = <T>(begin: (address: string, port: number) => T): KnownPeers<T> => {
  let byAddress = new Map<string, Map<number, T>>();
  let count = 0;
  let last: { address: string; port: number; known: T } | null = null;

  const find = (address: string, port: number): T => {
    let ports = byAddress.get(address);
    const known = ports?.get(port);
    if (known !== undefined) return known;
    if (count === most) {
      byAddress = new Map();
      ports = undefined;
      count = 0;
    }
    if (ports === undefined) {
      ports = new Map();
      byAddress.set(address, ports);
    }
    const made = begin(address, port);
    ports.set(port, made);
    count += 1;
    return made;
  };

  return {
    of(address, port) {
      if (last !== null && last.port === port && last.address === address) return last.known;
      const known = find(address, port);
      last = { address, port, known };
      return known;
    },
  };
};
