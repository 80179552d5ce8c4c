import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { addressSet, intersection, isEmpty } from './address-set.ts';
import { collectFirewall } from './collect.ts';
import { reachOf, type Reach } from './reach.ts';
import { enterByFile } from '../services/enter.ts';
import { chainName, type Ruleset } from './ruleset.ts';

const skip =
  spawnSync('unshare', ['--net', 'sh', '-c', 'nft list tables && iptables-legacy -S && iptables-nft -S'])
    .status === 0
    ? false
    : 'it takes root, network namespaces, nft and iptables';

const shell = (script: string, input = ''): string => {
  const { status, stdout, stderr } = spawnSync('sh', ['-ec', script], { encoding: 'utf8', input });
  assert.equal(status, 0, `${script}\n${stderr}`);
  return stdout;
};

const [server, client] = [`hf-rs-${process.pid}`, `hf-rc-${process.pid}`];
const strangers = ['192.0.2.7', '192.0.2.77', '198.51.100.66', '10.9.8.7'] as const;
const ports = [22, 80, 3306] as const;

const listen = `for (const port of [${ports.join()}]) require('net').createServer((socket) => socket.end('heard')).listen(port, '0.0.0.0', () => console.log('listening'));`;
const ask = `
  const [tries, longest] = process.argv.slice(1).map((text) => JSON.parse(text));
  Promise.all(tries.map(([from, port]) => new Promise((resolve) => {
    const socket = require('net').connect({ host: '192.0.2.1', port, localAddress: from });
    const end = (said) => { socket.destroy(); resolve(said); };
    setTimeout(() => end(false), longest);
    socket.on('data', () => end(true)).on('error', () => end(false));
  }))).then((all) => console.log(JSON.stringify(all)));`;

/** What is loaded, with what it is meant to show. */
/** For nft, or, where it begins with `iptables`, for a shell. */
const rulesets: Record<string, string> = {
  'no rules at all': '',
  'a policy of drop, and what is let in': `
    table inet filter {
      chain input {
        type filter hook input priority 0; policy drop;
        ct state established,related accept
        iifname "lo" accept
        tcp dport 22 accept
        ip saddr 192.0.2.0/26 tcp dport { 80, 443 } accept
      }
    }`,
  'a policy of accept, and one port shut but for a network': `
    table inet filter {
      chain input {
        type filter hook input priority 0; policy accept;
        tcp dport 3306 ip saddr != 10.0.0.0/8 reject with tcp reset
      }
    }`,
  'accept is final in its own chain alone': `
    table ip first {
      chain input { type filter hook input priority -10; tcp dport 80 accept; }
    }
    table ip second {
      chain input { type filter hook input priority 10; policy drop; tcp dport 22 accept; }
    }`,
  'jumps, returns and sets with names': `
    table inet filter {
      set admins { type ipv4_addr; flags interval; elements = { 192.0.2.64/26, 198.51.100.66 }; }
      chain ours {
        ip saddr 10.9.8.7 return
        tcp dport 22-80 accept
      }
      chain input {
        type filter hook input priority 0; policy drop;
        ip saddr @admins jump ours
        ip saddr 10.9.8.7 goto ours
        tcp dport 80 accept
      }
    }`,
  'a map of verdicts, and another interface': `
    table inet filter {
      chain web { ip saddr 192.0.2.0/24 accept; }
      chain input {
        type filter hook input priority 0; policy drop;
        iifname "other*" accept
        iifname "cable" tcp dport vmap { 22 : accept, 80 : jump web, 3306 : drop }
      }
    }`,
  'iptables, by nftables': `
    iptables-nft -P INPUT DROP
    iptables-nft -N ADMINS
    iptables-nft -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
    iptables-nft -A INPUT -p tcp -m multiport --dports 80,443 -s 192.0.2.0/26 -m comment --comment "the web" -j ACCEPT
    iptables-nft -A INPUT -p tcp -m tcp --dport 22 --syn -j ADMINS
    iptables-nft -A ADMINS ! -s 192.0.2.0/24 -j RETURN
    iptables-nft -A ADMINS -j ACCEPT`,
  'iptables of old, beside nftables': `
    iptables-legacy -A INPUT -i cable+ -p tcp --dport 3306 -m iprange --src-range 10.0.0.0-10.255.255.255 -j ACCEPT
    iptables-legacy -A INPUT -p tcp --dport 3306 -j REJECT
    iptables-legacy -t raw -A PREROUTING -s 192.0.2.77/32 -j DROP
    nft 'add table ip other; add chain ip other input { type filter hook input priority 5; policy accept; }; add rule ip other input tcp dport 80 ip saddr 198.51.100.0/24 drop'`,
  'dropped before the socket is looked for': `
    table ip raw {
      chain pre { type filter hook prerouting priority -300; ip saddr 192.0.2.77 drop; }
    }
    table ip filter {
      chain input { type filter hook input priority 0; policy accept; tcp dport != { 22, 80 } drop; }
    }`,
};

const load = (rules: string): void => {
  const inside = `ip netns exec ${server}`;
  shell(`${inside} nft flush ruleset
    for table in filter raw; do ${inside} iptables-legacy -t $table -F; done`);
  if (/^\s*iptables/.test(rules)) shell(`${inside} sh -e`, rules);
  else shell(`${inside} nft -f -`, `${rules}\n`);
};

const judged = async (): Promise<Ruleset> => {
  const { ruleset, couldNotLook } = await collectFirewall(enterByFile(`/run/netns/${server}`), server);
  assert.deepEqual(couldNotLook, []);
  return ruleset;
};

const comesIn = ({ from, networks }: Reach, source: string): boolean => {
  const [address] = addressSet(source)?.set ?? [];
  if (from === 'nobody' || address === undefined) return false;
  const among = networks.some((network) => !isEmpty(intersection([address], addressSet(network)?.set ?? [])));
  return from === 'anyone' ? !among : among;
};

describe('who comes through the rules', { skip }, () => {
  before(async () => {
    shell(`
      ip netns add ${server}; ip netns add ${client}
      ip -n ${server} link add name cable type veth peer name cable netns ${client}
      ip -n ${server} addr add 192.0.2.1/24 dev cable
      for address in ${strangers.join(' ')}; do ip -n ${client} addr add $address/24 dev cable; done
      for host in ${server} ${client}; do ip -n $host link set lo up; ip -n $host link set cable up; done
      ip -n ${server} route add 198.51.100.0/24 dev cable; ip -n ${server} route add 10.9.8.0/24 dev cable`);
    const listener = spawn('ip', ['netns', 'exec', server, process.execPath, '-e', listen], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    ending = () => listener.kill('SIGKILL');
    let said = '';
    listener.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    while (said.split('\n').length <= ports.length) await once(listener.stdout, 'data');
  });
  after(() => {
    ending();
    spawnSync('sh', ['-c', `ip netns del ${server}; ip netns del ${client}`]);
  });
  let ending = (): unknown => undefined;

  it('a chain that iptables does not show stays as nft shows it', async () => {
    const without = `case $1 in *-nft-save) echo "$1: No such file or directory" >&2; exit 127 ;; esac; exec "$@"`;
    const enter = enterByFile(`/run/netns/${server}`);
    const bases = (ruleset: Ruleset): string[] =>
      ruleset
        .filter(({ base, table }) => base?.hook === 'input' || (base?.nat === true && table === 'nat'))
        .map(chainName)
        .filter((name) => !name.includes('legacy'))
        .toSorted();
    const filter = `
      iptables-nft -P INPUT DROP
      iptables-nft -A INPUT -p tcp --dport 22 -m time --timestart 08:00 -j ACCEPT`;
    load(`${filter}
      iptables-nft -t nat -A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 10.9.8.7:80`);
    const missing = await collectFirewall([...enter, 'sh', '-c', without, 'sh'], server);
    assert.deepEqual(bases(missing.ruleset), ['chain ip filter INPUT', 'chain ip nat PREROUTING']);
    assert.match(missing.couldNotLook.map(({ what }) => what).join(), /^address translation of .*ip nat/);
    load(`${filter}
      nft 'add chain ip filter early { type filter hook input priority -5; }'`);
    assert.deepEqual(bases(await judged()), ['chain ip filter early', 'chain ip iptables filter INPUT']);
  });

  for (const [what, rules] of Object.entries(rulesets))
    it(`is judged as the kernel does it: ${what}`, async () => {
      load(rules);
      const ruleset = await judged();
      const tries = strangers.flatMap((from) => ports.map((port) => [from, port] as const));
      /** What comes through. @param longest milliseconds after which silence is taken for a door that is shut */
      const came = (longest: number): boolean[] => {
        const command = ['netns', 'exec', client, process.execPath, '-e', ask];
        const asked = [JSON.stringify(tries), String(longest)];
        const { stdout, stderr } = spawnSync('ip', [...command, ...asked], { encoding: 'utf8' });
        assert.equal(stderr, '');
        return JSON.parse(stdout);
      };
      const reaches = tries.map(([from, port]) => {
        const reach = reachOf(ruleset, {
          family: 4,
          protocol: 'tcp',
          interface: 'cable',
          destination: '192.0.2.1',
          port,
        });
        assert.deepEqual(reach.doubts, []);
        return [from, port, comesIn(reach, from)];
      });
      const seen = (longest: number): unknown[] => {
        const all = came(longest);
        return tries.map(([from, port], i) => [from, port, all[i]]);
      };
      // Silence may come of a busy machine too: where it is not expected, it is given more time.
      const first = seen(900);
      assert.deepEqual(isDeepStrictEqual(first, reaches) ? first : seen(10_000), reaches);
    });

  it('names the rule that decides, and what it cannot tell', async () => {
    load(`
      table inet filter {
        chain input {
          type filter hook input priority 0; policy drop;
          tcp dport 22 limit rate 3/minute accept
          ip saddr 192.0.2.0/24 tcp dport 80 counter accept
        }
      }`);
    const ruleset = await judged();
    const at = (port: number): Reach =>
      reachOf(ruleset, { family: 4, protocol: 'tcp', interface: 'cable', destination: '192.0.2.1', port });
    assert.deepEqual(at(80), {
      from: 'networks',
      networks: ['192.0.2.0/24'],
      rule: 'ip saddr 192.0.2.0/24 tcp dport 80 accept',
      doubts: [],
    });
    assert.deepEqual(at(3306), {
      from: 'nobody',
      networks: [],
      rule: 'policy drop of chain inet filter input',
      doubts: [],
    });
    const limited = at(22);
    assert.equal(limited.from, 'anyone');
    assert.match(limited.doubts.join(), /limit rate 3\/minute .*accept \(limit\)/);
  });
});
