import type { CouldNotLook } from '#base/looked';
import { lastWordOf } from '../errors.ts';
import { askSockets, type AskedSocket } from './ask-sockets.ts';
import type { SocketHolders } from './descriptors.ts';
import { enterByFile, enterBySocket, type Enter } from './enter.ts';
import { endpointFiles, tryRead, type Endpoint, type TableTexts } from './endpoints.ts';
import { openEmpty, type OpenNamespace } from './namespaces.ts';
import { inodesIn, inodeTables } from './tables.ts';

/** What only descriptors lead to. */
export type Strays = { namespaces: OpenNamespace[]; endpoints: Endpoint[]; couldNotLook: CouldNotLook[] };

/**
 * Sockets that processes hold and that no table of a known namespace lists: they belong to a namespace that nothing else
 * holds, or to a family that /proc has no table of (vsock). And namespaces that a descriptor alone holds.
 * @param wholeTables what was read a moment ago: a socket that has come since is asked about too, and is none
 * @param asked inodes that need not be asked about again; new ones are added
 */
export const findStrays = async (
  known: readonly OpenNamespace[],
  wholeTables: ReadonlyMap<OpenNamespace, TableTexts>,
  holders: Pick<SocketHolders, 'others' | 'namespaces'>,
  asked: Set<number>,
): Promise<Strays> => {
  const found: Strays = { namespaces: [], endpoints: [], couldNotLook: [] };
  const seen = new Set(known.map(({ inode }) => inode));
  // Where some namespace's inode may not be read, neither may what else it would take.
  if (seen.has(null)) {
    if (known.some((namespace) => /^AF_VSOCK /m.test(tryRead(namespace, 'protocols') ?? '')))
      found.couldNotLook.push({
        what: 'vsock listeners (between this virtual machine and its hypervisor)',
        why: 'the kernel speaks vsock, and only who holds such a socket knows of it',
        remedy: 'run as root',
      });
    return found;
  }
  const open = async (inode: number, enter: Enter | null): Promise<void> => {
    if (seen.has(inode)) return;
    seen.add(inode);
    try {
      if (enter === null) throw new Error(`setns(2) has no known number on ${process.arch}`);
      found.namespaces.push(await openEmpty(inode, null, enter, endpointFiles));
    } catch (error) {
      found.couldNotLook.push({
        what: `network namespace net:[${inode}], which a descriptor alone holds`,
        why: lastWordOf(error),
        remedy: 'run as root, with nsenter (util-linux) and perl installed',
      });
    }
  };
  for (const [inode, path] of holders.namespaces) await open(inode, enterByFile(path));

  const others = [...holders.others].filter(([inode]) => !asked.has(inode));
  if (others.length === 0) return found;
  const listed = new Set(known.flatMap((one) => listedInodes(one, wholeTables.get(one))));
  for (const [inode] of others) if (listed.has(inode)) asked.add(inode);
  const strays = others
    .filter(([inode]) => !listed.has(inode))
    .map(([inode, descriptor]) => ({ ...descriptor, inode }));
  if (strays.length === 0) return found;
  let answers: AskedSocket[];
  try {
    answers = await askSockets(strays);
  } catch (error) {
    found.couldNotLook.push({
      what: `${strays.length} sockets that no table lists (vsock, or namespaces that nothing else holds)`,
      why: lastWordOf(error),
      remedy: 'install perl-base',
    });
    return found;
  }
  const own = known.find((namespace) => namespace.own);
  for (const answer of answers) {
    await open(answer.namespace, enterBySocket(answer.pid, answer.descriptor));
    const namespace = known.find(({ inode }) => inode === answer.namespace) ?? own;
    const endpoint = namespace === undefined ? null : vsockOf(answer, namespace);
    if (endpoint !== null) found.endpoints.push(endpoint);
    else if (seen.has(answer.namespace)) asked.add(answer.inode);
  }
  return found;
};

/** @param texts in place of the tables of now */
const listedInodes = (namespace: OpenNamespace, texts: TableTexts = new Map()): number[] =>
  inodeTables.flatMap((file) => {
    try {
      return inodesIn(file, texts.get(file) ?? namespace.read(file, 'whole') ?? '');
    } catch {
      return []; // named already when its endpoints were read
    }
  });

const vsock = 40; // AF_VSOCK
const anyContext = 0xffffffff; // VMADDR_CID_ANY

/** struct sockaddr_vm (include/uapi/linux/vm_sockets.h): family, reserved, port, context id; host byte order. */
const vsockOf = (
  { domain, listens, name, inode }: AskedSocket,
  namespace: OpenNamespace,
): Endpoint | null => {
  if (domain !== vsock || !listens || name.length < 12) return null;
  const [port, context] = new Uint32Array(name.buffer.slice(name.byteOffset + 4, name.byteOffset + 12));
  return {
    row: {
      protocol: 'vsock',
      family: null,
      address: context === anyContext ? '*' : String(context),
      port: port ?? null,
      uid: null,
      inode,
    },
    inodes: [inode],
    namespace,
    surroundings: namespace.own ? 'own' : 'other',
  };
};
