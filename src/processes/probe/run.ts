import { existsSync } from 'node:fs';
import { compare, type Arrival, type Compared } from '#advise';
import { systemClock } from '#base/clock';
import type { CouldNotLook } from '#base/looked';
import { formatMicros } from '#base/rfc3339';
import { Exit, jsonLine, text, type Context, type Flags } from '#cli';
import { unique, wellKnownDoors, type HostSeen, type Outcome, type Vantage } from '#probe/host';
import { probeArrivals, type Arrivals } from './arrivals.ts';
import { askProber } from './ask.ts';
import { doorsOf, insideFromFile, insideThrough, type Inside } from './inside.ts';
import { insideFromLog } from './inside-from-log.ts';
import { probeOptions, type ProbeOptions } from './options.ts';
import { permissionToProbe } from './permission.ts';
import { recorded, summaryOf, type ProbeRecord } from './record.ts';
import { nameOf, paceLine, renderSeen, vantageLines } from './render.ts';
import { renderCompared } from './render-compared.ts';

/** `services probe HOST`, with its record in the log. @throws CliError */
export const runProbe = async (context: Context, host: string, flags: Flags): Promise<Exit> => {
  const options = probeOptions(flags);
  return recorded(context, host, async (record) => probe(context, host, { flags, options, record }));
};

type Asked = { flags: Flags; options: ProbeOptions; record: ProbeRecord };

const probe = async (context: Context, host: string, { flags, options, record }: Asked): Promise<Exit> => {
  const { io, state, json } = context;
  const permission = await permissionToProbe(
    host,
    state.pki,
    flags['iOperateThisHost'] === true ? 'said' : 'not said',
  );
  const inside = await insideOf(context, host, flags);
  const doors =
    options.doors ?? unique([...(inside === null ? [] : doorsOf(inside.view)), ...wellKnownDoors]);
  const { rates, timeoutMs } = options;
  const time = formatMicros(systemClock().now());
  await record.begin({
    permission,
    ports: text(flags, 'ports') ?? 'what it says it has open, and what is well known',
    doors: doors.length,
    ...(inside === null ? {} : { inside: inside.from }),
  });
  const { looked, others, lost } = await askProber({ host, doors, rates, timeoutMs }, (found) => {
    io.err(vantageLines(io, found));
    io.err(paceLine(io, doors, rates, found.vantages.length));
  });
  await record.notLooked({ lost, others });
  const looks: Look[] = [];
  for (const [n, { vantage, seen }] of looked.entries()) {
    const look = await lookFrom(context, { vantage, seen, addresses: looked.length }, inside, flags);
    const { outcomes, compared } = look;
    await record.done({ address: vantage.address, from: vantage.from, ...summaryOf(outcomes, compared) });
    const couldNotLook = n === 0 ? [...lost.map(gapOfLost), ...look.couldNotLook] : look.couldNotLook;
    looks.push(look);
    if (json) {
      io.out(
        jsonLine({
          ...vantage,
          otherAddresses: others,
          time,
          permission,
          rates,
          inside: inside === null ? null : { from: inside.from, extent: inside.view.extent },
          doors: compared === null ? outcomes.map(alone) : compared.map(beside),
          couldNotLook,
        }),
      );
      continue;
    }
    if (looked.length > 1) io.out(`${n === 0 ? '' : '\n'}${io.paint('bold', nameOf(vantage))}\n`);
    if (inside === null || compared === null) io.out(renderSeen(io, outcomes, couldNotLook));
    else io.out(renderCompared(io, compared, inside, couldNotLook));
  }
  if (!looks.some(({ alive }) => alive)) return Exit.couldNotLook;
  return looks.some(({ compared }) => compared?.some(({ verdict }) => verdict === 'nobody') === true)
    ? Exit.bad
    : Exit.done;
};

/** What was seen at one address, and what the host says of it. */
type Look = {
  outcomes: Outcome[];
  compared: Compared[] | null;
  alive: boolean;
  couldNotLook: CouldNotLook[];
};

/** One address of so many that are probed. */
type Seen = { vantage: Vantage; seen: HostSeen; addresses: number };

const lookFrom = async (
  context: Context,
  { vantage: { host, address }, seen: { outcomes, alive }, addresses }: Seen,
  inside: Inside | null,
  flags: Flags,
): Promise<Look> => {
  const arrivals = await arrivalsOf(context, { address, addresses }, outcomes, flags);
  return {
    outcomes: outcomes.map((outcome) => settled(outcome, arrivals)),
    compared:
      inside === null
        ? null
        : outcomes.map((outcome) => compare(outcome, address, inside.view, arrivalOf(outcome, arrivals))),
    alive,
    couldNotLook: [...gapsOf(host, address, alive), ...arrivals.couldNotLook],
  };
};

const gapOfLost = ({ address, why }: { address: string; why: string }): CouldNotLook => ({
  what: address,
  why,
  remedy: 'Or take it out of the name, where the host has it no more',
});

/** Given, asked of the host, or what its agent said last. */
const insideOf = async ({ state, io }: Context, host: string, flags: Flags): Promise<Inside | null> => {
  const file = text(flags, 'inside');
  if (file !== undefined) return { view: await insideFromFile(file), from: file };
  const through = text(flags, 'through');
  if (through !== undefined) return { view: await insideThrough(through), from: through };
  const said = await insideFromLog(state, host);
  if (said === null) return null;
  io.err(`Inside: what its agent said, last at ${said.asOf}.\n`);
  return { view: said.view, from: `its agent, at ${said.asOf}` };
};

/** Silent doors are tried from both sides, where there is another side. */
const arrivalsOf = async (
  { state, io }: Context,
  at: { address: string; addresses: number },
  outcomes: readonly Outcome[],
  flags: Flags,
): Promise<Arrivals> => {
  const ports = outcomes.flatMap(({ state: seen, port }) => (seen === 'silent' ? [port] : []));
  const through = text(flags, 'through') ?? null;
  const token = text(flags, 'token') ?? null;
  if (ports.length === 0 || (through === null && token === null && !existsSync(state.searchSocket)))
    return { byPort: new Map(), couldNotLook: [] };
  io.err(`Sending tokens to what is silent: ${ports.map((port) => `udp/${port}`).join(', ')}.\n`);
  return probeArrivals(state, { ...at, ports, through, token });
};

const arrivalOf = ({ protocol, port }: Outcome, { byPort }: Arrivals): Arrival | null =>
  protocol === 'udp' ? (byPort.get(port) ?? null) : null;

/** A silent door whose token came to the log is open. */
const settled = (outcome: Outcome, arrivals: Arrivals): Outcome => {
  const logged = arrivalOf(outcome, arrivals)?.logged;
  return outcome.state === 'silent' && logged !== null && logged !== undefined
    ? { ...outcome, state: 'open', why: `what was sent is in the log, at ${logged}` }
    : outcome;
};

const gapsOf = (host: string, address: string, alive: boolean): CouldNotLook[] =>
  alive
    ? []
    : [
        {
          what: `${host} (${address})`,
          why: 'nothing came back from any port: a host that is off, or not there, looks the same',
          remedy: 'Name with --ports one that must answer, or see on the host itself that it is up',
        },
      ];

const alone = (outcome: Outcome): object => ({ ...outcome, inside: null, verdict: null, explanation: null });

const beside = ({ outcome, inside, verdict, explanation }: Compared): object => ({
  ...outcome,
  inside,
  verdict,
  explanation,
});
