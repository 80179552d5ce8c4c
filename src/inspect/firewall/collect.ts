import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import type { CouldNotLook } from '#base/looked';
import { systemCode } from '#base/errors';
import { lastWordOf } from '../errors.ts';
import { textOf } from '../host.ts';
import type { Enter } from '../services/enter.ts';
import { parseIptablesSave } from './iptables-save.ts';
import type { Family } from './address-set.ts';
import { chainName, type Chain, type Match, type Ruleset, type Verdict } from './ruleset.ts';

export type Firewall = { ruleset: Ruleset; couldNotLook: CouldNotLook[] };

/** What `nft --json list ruleset` prints where there are none: most hosts need no parser for it. */
const noRules = /^\{"nftables": \[\{"metainfo": \{[^{}]*\}\}\]\}\s*$/;

/**
 * All rules of one network namespace that decide what comes in: nftables, and both kinds of iptables.
 * @param name as people know the namespace
 */
export const collectFirewall = async (enter: Enter, name: string): Promise<Firewall> => {
  const couldNotLook: CouldNotLook[] = [];
  const run = async (program: string, ...args: string[]): Promise<string | null> => {
    const [file = '', ...rest] = [...enter, program, ...args];
    const { stdout } = await promisify(execFile)(file, rest, {
      maxBuffer: 256 * 1024 * 1024,
      timeout: 20_000,
      env: { ...process.env, LC_ALL: 'C', PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
    });
    return stdout;
  };
  /** `null` where the program is not there: then nobody has used it. */
  const ask = async (program: string, ...args: string[]): Promise<string | null> => {
    try {
      return await run(program, ...args);
    } catch (error) {
      if (systemCode(error) === 'ENOENT' || /No such file or directory/.test(lastWordOf(error))) return null;
      couldNotLook.push({
        what: `firewall rules of ${name} (${program})`,
        why: lastWordOf(error),
        remedy: 'run as root',
      });
      return null;
    }
  };
  const nativeRules = async (printed: string | null): Promise<Ruleset> => {
    if (printed === null || noRules.test(printed)) return [];
    const [{ parseNftJson, ruleTexts }, text] = await Promise.all([
      import('./nft-json.ts'),
      ask('nft', '--handle', 'list', 'ruleset'),
    ]);
    return parseNftJson(printed, ruleTexts(text ?? ''));
  };
  const saved = async (kind: 'nft' | 'legacy', family: Family): Promise<Ruleset> => {
    if (kind === 'legacy' && hasNoLegacyTables(enter, family)) return [];
    const text = await ask(`${family === 4 ? 'iptables' : 'ip6tables'}-${kind}-save`);
    return text === null
      ? []
      : parseIptablesSave(text, family, kind === 'nft' ? 'iptables' : 'iptables-legacy');
  };
  const [json, legacyFour, legacySix] = await Promise.all([
    ask('nft', '--json', 'list', 'ruleset'),
    saved('legacy', 4),
    saved('legacy', 6),
  ]);
  if (json === null && couldNotLook.length === 0)
    couldNotLook.push({
      what: `firewall rules of ${name}`,
      why: 'there is no program that lists them (nft)',
      remedy: 'apt-get install nftables',
    });
  try {
    const native = await nativeRules(json);
    // iptables shows what its extensions ask; nft but their names.
    const extended = new Set(native.filter(hasExtension).map(tableOf));
    const ofIptables =
      extended.size === 0 ? [] : (await Promise.all([saved('nft', 4), saved('nft', 6)])).flat();
    const shown = new Set(ofIptables.map(nativeNameOf));
    // A doubt says who can come at most; but where a packet is sent to, and so a door, may be missing.
    const unseen = native.find(
      (chain) => chain.base?.nat === true && extended.has(tableOf(chain)) && !shown.has(chainName(chain)),
    );
    if (unseen !== undefined && couldNotLook.length === 0)
      couldNotLook.push({
        what: `address translation of ${name} (${chainName(unseen)})`,
        why: 'nft shows but the names of the iptables extensions in it, and iptables-nft-save does not show that chain',
        remedy: 'apt-get install iptables; where it is there, look yourself: nft list ruleset',
      });
    return {
      ruleset: [
        // Chains that are jumped to stay for those of the same table that iptables leaves out.
        ...native.filter(
          (chain) => chain.base === null || !extended.has(tableOf(chain)) || !shown.has(chainName(chain)),
        ),
        ...ofIptables.filter((chain) => extended.has(nativeTableOf(chain))),
        ...legacyFour,
        ...legacySix,
      ],
      couldNotLook,
    };
  } catch (error) {
    couldNotLook.push({
      what: `firewall rules of ${name}`,
      why: `what nft printed was not understood: ${lastWordOf(error)}`,
      remedy: 'look at them yourself: nft list ruleset; and report it',
    });
    return { ruleset: [], couldNotLook };
  }
};

/** The kernel names the tables that iptables of old has made here (net/netfilter/x_tables.c); of other namespaces its program is asked. */
const hasNoLegacyTables = (enter: Enter, family: Family): boolean => {
  const file = `/proc/self/net/${family === 4 ? 'ip' : 'ip6'}_tables_names`;
  return enter.length === 0 && (textOf(file) === '' || !existsSync(file));
};

const tableOf = ({ family, table }: Chain): string => `${family} ${table}`;

/** As nft names it. @param chain of parseIptablesSave */
const nativeTableOf = (chain: Chain): string => tableOf(chain).replace(' iptables ', ' ');
const nativeNameOf = (chain: Chain): string => chainName(chain).replace(' iptables ', ' ');

const hasExtension = ({ rules }: Chain): boolean =>
  rules.some(({ matches, verdict }) => isExtension(verdict) || matches.some(isExtension));

const isExtension = (part: Match | Verdict | null): boolean =>
  part !== null && 'what' in part && part.what.startsWith('the extension ');
