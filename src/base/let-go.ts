/**
 * Gives memory back at once. It lies outside of V8's heap: where it is left to the garbage collector, that goes through all
 * of the heap each time some batches have gathered.
 * @param bytes all of whose memory nobody looks at any more: every other view of it is empty afterwards. Small ones, which share
 * their memory with others, are left alone
 */
export const letGo = ({ buffer }: Uint8Array): void => {
  if (buffer instanceof ArrayBuffer && buffer.byteLength > Buffer.poolSize) buffer.transfer(0);
};
