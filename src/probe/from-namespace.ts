import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { answerOf, type Answer, type Target } from './answer.ts';
import { run } from './run.ts';

/**
 * The namespace and its cable (a veth pair) end with the shell that made them. The addresses are of a network for
 * documentation (RFC 5737, RFC 3849), which no host has; the host's own end answers for all addresses of the host.
 */
const inside = `
set -e
ip link set lo up
ip link add eth0 type veth peer name "$1"
# The kernel takes its time to end a namespace, and until then the host would answer the next knock over this cable.
trap 'ip link delete eth0' EXIT
ip link set "$1" netns "$2"
ip address add 192.0.2.2/30 dev eth0
ip -6 address add 2001:db8::2/126 dev eth0 nodad
ip link set eth0 up
nsenter "--net=/proc/$2/ns/net" sh -ec 'ip address add 192.0.2.1/30 dev "$0"
ip -6 address add 2001:db8::1/126 dev "$0" nodad
ip link set "$0" up' "$1"
ip route add default via 192.0.2.1
ip -6 route add default via 2001:db8::1
shift 2
"$@"
`;

/**
 * Knocks from a network namespace that is joined to this one by a cable of its own: the packets come in by an interface,
 * as a stranger's do, and not over lo. Needs root, `unshare` and `ip`. What filters between other hosts and this one
 * does not show.
 * @returns the answer, or why there is none
 */
export const knockFromNamespace = async (target: Target): Promise<Answer | { why: string }> => {
  const name = `hf-${randomBytes(6).toString('hex')}`;
  const { stdout, stderr } = await run('unshare', [
    '--net',
    'sh',
    '-c',
    inside,
    'sh',
    name,
    String(process.pid),
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    join(import.meta.dirname, 'knock.ts'),
    target.protocol,
    target.address,
    String(target.port),
  ]);
  return answerOf(stdout) ?? { why: `no network namespace to knock from: ${stderr.trim()}` };
};
